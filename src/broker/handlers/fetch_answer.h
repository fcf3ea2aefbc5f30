// From what was read to the answer of a fetch.
#pragma once

#include <cstdint>
#include <vector>

#include "broker/context.h"
#include "broker/fetch_session.h"
#include "protocol/api/fetch.h"
#include "replication/read.h"

namespace arus::broker {

// Drops records beyond `max_bytes`, counted in order, but never the first: where several loops have
// read at once, each up to the limit.
void keep_within(std::vector<replication::ReadResult>& results, std::int64_t max_bytes);

// An incremental answer holds only partitions with something new for the client; what it is told
// is noted in the targets.
protocol::FetchResponse answer_of(const Context& context, const std::vector<FetchTarget*>& targets,
                                  const std::vector<replication::ReadResult>& results,
                                  bool incremental, bool committed);

// Partitions that gave records go to the end of the session.
void rotate(FetchSession& session, const std::vector<FetchTarget*>& targets,
            const std::vector<replication::ReadResult>& results);

}  // namespace arus::broker
