// SPDX-License-Identifier: Apache-2.0
// Nothing: gives the precompiled headers a target to belong to.
