// What storage costs: how it bears many partitions, flushing, restarts, and readers of old data.
#pragma once

#include "benchmarks/report.h"

namespace arus::benchmark {

// The same rate of small writes to 1, 1,000 and 10,000 partitions.
void spread_rows(const Plan& plan);
// Busy time of the whole machine until all bytes are on disk, flushing before each answer or not.
void busy_rows(const Plan& plan);
// One record at a time, beside a flush and a round trip.
void acknowledgement_rows(const Plan& plan);
// 10,000 partitions with data: one record to each, stop, start, start after SIGKILL under load.
void data_rows(const Plan& plan);
// Anonymous memory for each of 100,000 partitions.
void idle_partition_rows(const Plan& plan);
// A reader at the end of a log while another reads four times the memory of old data.
void tail_rows(const Plan& plan);

}  // namespace arus::benchmark
