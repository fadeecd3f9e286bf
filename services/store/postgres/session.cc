// SPDX-License-Identifier: Apache-2.0
#include "services/store/postgres/session.h"

#include <pqxx/tablewriter>
#include <utility>

#include "crypto/base/encoding.h"
#include "services/store/postgres/postgres_error.h"

// libpqxx 6.4 has no other public way to keep a lost session lost, nor to give a number of
// arguments that is known at run time only, some of them in binary, nor of columns to COPY: its
// stream_to wants a tuple.
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations"

namespace comity::store {
namespace {

// Connected after it is made: what the constructor of libpqxx's other connections has opened is not
// freed when the line breaks in it.
std::unique_ptr<pqxx::lazyconnection> Connect(const std::string& connection_string) {
  auto connection = std::make_unique<pqxx::lazyconnection>(connection_string);
  // Details of an error repeat the row's values, and those do not belong into a log.
  connection->set_verbosity(pqxx::connection_base::terse);
  connection->activate();
  connection->inhibit_reactivation(true);
  return connection;
}

// Source: PostgreSQL 15, COPY, "Text Format". A text is UTF-8, in which no other character has an
// octet of these.
void PutText(std::string& line, std::string_view text) {
  for (const char c : text) {
    switch (c) {
      case '\\':
        line += "\\\\";
        break;
      case '\t':
        line += "\\t";
        break;
      case '\n':
        line += "\\n";
        break;
      case '\r':
        line += "\\r";
        break;
      default:
        line += c;
    }
  }
}

void PutField(std::string& line, const Argument& value) {
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    line += std::to_string(*number);
  } else if (const auto* text = std::get_if<std::string>(&value)) {
    PutText(line, *text);
  } else if (const auto* octets = std::get_if<pqxx::binarystring>(&value)) {
    line += "\\\\x";
    line += EncodeHex(ByteView(octets->data(), octets->size()));
  } else {
    line += "\\N";
  }
}

}  // namespace

Session::Session(const std::string& connection_string, LineWatch& watch,
                 std::chrono::milliseconds limit)
    : limit_(limit) {
  try {
    connection_ = Connect(connection_string);
    line_ = std::make_unique<LineWatch::Line>(watch, connection_->sock());
    channel_ = std::make_unique<pqxx::nontransaction>(*connection_);
  } catch (const pqxx::failure& failure) {  // the line may be lost again at each step
    throw DatabaseError(ErrorCode::kUnavailable, OneLine(failure.what()));
  }
}

pqxx::result Session::Execute(const std::string& sql) {
  return Execute(sql, limit_);
}

pqxx::result Session::Execute(const std::string& sql, std::chrono::milliseconds limit) {
  return Run(limit, [&] { return channel_->exec(sql); });
}

pqxx::result Session::Execute(const PreparedText& statement, std::span<const Argument> arguments) {
  return Run(limit_, [&] {
    connection_->prepare(statement.name, statement.sql);  // does nothing the second time
    pqxx::prepare::invocation invocation = channel_->prepared(statement.name);
    for (const Argument& argument : arguments) {
      std::visit(
          [&](const auto& value) {
            if constexpr (std::is_same_v<std::decay_t<decltype(value)>, std::monostate>) {
              invocation();
            } else {
              invocation(value);
            }
          },
          argument);
    }
    return invocation.exec();
  });
}

void Session::Copy(const CopyTarget& target, const CopiedRows& rows) {
  Run(limit_, [&] {
    pqxx::tablewriter writer(*channel_, target.table, target.columns.begin(), target.columns.end());
    std::string line;
    for (const std::vector<Argument>* row : rows) {
      line.clear();
      for (const Argument& value : *row) {
        if (&value != row->data()) line += '\t';
        PutField(line, value);
      }
      writer.write_raw_line(line);
    }
    writer.complete();
    return pqxx::result();
  });
}

template <typename Call>
pqxx::result Session::Run(std::chrono::milliseconds limit, Call&& call) {
  if (broken_) throw DatabaseError(ErrorCode::kUnavailable, "the line to the database is lost");
  const LineWatch::Line::Call watched(*line_, limit);
  try {
    return std::forward<Call>(call)();
  } catch (const pqxx::sql_error& error) {
    broken_ = !connection_->is_open();
    throw ToDatabaseError(error);
  } catch (const pqxx::failure&) {
    broken_ = true;
    throw DatabaseError(ErrorCode::kUnavailable, line_->was_cut()
                                                     ? "the database did not answer in time"
                                                     : "the line to the database was lost");
  } catch (...) {
    broken_ = true;  // where the session stands is not known
    throw;
  }
}

}  // namespace comity::store

#pragma GCC diagnostic pop
