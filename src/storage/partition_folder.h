// The folder of a partition as a whole: made, checked, put in place of another.
#pragma once

#include <string>
#include <vector>

#include "base/ids.h"
#include "base/result.h"
#include "base/uuid.h"
#include "storage/directory_writer.h"
#include "storage/producer_state.h"

namespace arus::storage {

// All on the writer. With its partition.metadata.
Result<> make_folder(DirectoryWriter* writer, const std::string& folder, const Uuid& topic_id);
// The folder with what its first record needs: empty files of the first segment, and the epoch that
// this record is expected to have.
Result<> make_prepared_folder(DirectoryWriter* writer, const std::string& folder,
                              const Uuid& topic_id, LeaderEpoch epoch);
// Makes it where it is not there; true then. INCONSISTENT_TOPIC_ID where it is another topic's.
Result<bool> check_or_make_folder(DirectoryWriter* writer, const std::string& folder,
                                  const Uuid& topic_id);
// The folder of a copy, which nobody writes any more, becomes that of the partition: with the
// producers as they are at its end, everything on stable storage.
Result<> promote_folder(DirectoryWriter* writer, const std::string& from, const std::string& to,
                        Offset end, const std::vector<ProducerEntry>& producers);

}  // namespace arus::storage
