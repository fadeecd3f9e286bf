// SPDX-License-Identifier: Apache-2.0
#include "services/gateway/federation/sealed_flights.h"

#include <set>
#include <utility>

namespace comity::gateway {

void SealedFlights::Begin(std::string exchange) {
  flights_.With([&](Flights& flights) { flights.exchange = std::move(exchange); });
}

void SealedFlights::Add(std::uint64_t number, SealedFlight flight) {
  flights_.With(
      [&](Flights& flights) { flights.by_number.insert_or_assign(number, std::move(flight)); });
}

bool SealedFlights::Spend(std::uint64_t first, std::span<const std::size_t> indices) {
  return flights_.With([&](Flights& flights) {
    for (const std::size_t index : indices) {
      if (!flights.by_number.contains(first + index)) return false;
    }
    for (const std::size_t index : indices) flights.by_number.at(first + index).is_spent = true;
    return true;
  });
}

std::optional<SealedFlight> SealedFlights::Take(const std::string& exchange, std::uint64_t batch,
                                                std::uint64_t number) {
  std::optional<SealedFlight> flight;
  flights_.With([&](Flights& flights) {
    if (flights.exchange != exchange) return;
    const auto found = flights.by_number.find(number);
    if (found == flights.by_number.end() || found->second.batch != batch) return;
    flight = std::move(found->second);
    flights.by_number.erase(found);
  });
  return flight;
}

std::vector<SealedFlight> SealedFlights::Return(const std::string& exchange) {
  std::map<std::uint64_t, SealedFlight> left;
  flights_.With([&](Flights& flights) {
    if (flights.exchange == exchange) left.swap(flights.by_number);
  });
  std::vector<SealedFlight> all;
  all.reserve(left.size());
  for (auto& [number, flight] : left) all.push_back(std::move(flight));
  return all;
}

void SealedFlights::Forget(const std::function<bool(const matching::WindowProbe&)>& is_awaited) {
  flights_.With([&](Flights& flights) {
    for (auto& [number, flight] : flights.by_number) {
      if (is_awaited(flight.probe)) continue;
      flight.probe.embedding = SecretBytes();
      flight.opening.reset();
    }
  });
}

std::size_t SealedFlights::BatchesOf(const Flights& flights) {
  std::set<std::uint64_t> batches;
  for (const auto& [number, flight] : flights.by_number) batches.insert(flight.batch);
  return batches.size();
}

bool SealedFlights::is_empty() const {
  return flights_.With([](const Flights& flights) { return flights.by_number.empty(); });
}

bool SealedFlights::AwaitFewer(std::size_t most, Time until) {
  return flights_.WaitUntil(
      {}, until, [most](const Flights& flights) { return BatchesOf(flights) < most; },
      [](Flights&) {});
}

}  // namespace comity::gateway
