// What a loop hands to the writer of a log directory at once.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <variant>
#include <vector>

#include "base/bytes.h"
#include "base/ids.h"
#include "base/result.h"
#include "env/event.h"
#include "storage/writer_file.h"

namespace arus::storage {

class DirectoryWriter;
class WritePort;

// Bytes for one file, one piece behind the other.
struct FileWrite {
  std::shared_ptr<WriterFile> file;
  std::int64_t position = 0;
  std::size_t size_bytes = 0;
  bool logged = false;  // whole batches that the commit log may make durable
  Chain pieces;
};

// Anything else that changes files, in order with the writes. An error takes the directory offline;
// where the disk was full the action is called again, from the beginning, when there is space.
using WriterAction = std::move_only_function<Result<>(DirectoryWriter*)>;

// Steps are carried out in order. Then, where `durable` is set, the files of `flush` are brought to
// stable storage.
struct WriteGroup {
  std::uint64_t id = 0;
  std::size_t done = 0;  // steps that are carried out; the writer's
  std::vector<std::variant<FileWrite, WriterAction>> steps;
  std::vector<std::shared_ptr<WriterFile>> flush;
  std::size_t size_bytes = 0;
  bool durable = false;         // somebody waits for stable storage
  bool answer_written = false;  // somebody waits for the page cache only
};

enum class WriteStage : std::uint8_t { written, durable };

}  // namespace arus::storage
