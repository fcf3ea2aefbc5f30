// What groups and transactions cost a broker: Arus, or Apache Kafka for comparison.
#pragma once

#include <string>

namespace arus::benchmark {

// Offsets committed in turn by each of `groups` groups, one partition at a time, all groups side by
// side. Commits per second.
double offset_commits_per_s(const std::string& bootstrap, int groups, double seconds);

// One transactional producer that writes `records` records of 100 bytes in each transaction.
// Transactions per second.
double transactions_per_s(const std::string& bootstrap, int records, double seconds);

// A consumer group (KIP-848) of `members` on a topic of `partitions` partitions, of whom one falls
// silent. `session_s` is the session timeout of the broker. Seconds from the end of the session
// until all its partitions are somebody's again; NAN where that took more than 30 s.
double takeover_s(const std::string& bootstrap, int members, int partitions, double session_s);

}  // namespace arus::benchmark
