#include "env/file.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>

#include "env/environment.h"
#include "env/real/file.h"
#include "env/real/resident.h"

namespace arus::env {
namespace {

class FileTest : public testing::Test {
 protected:
  void SetUp() override {
    std::string pattern = testing::TempDir() + "/arus-file-XXXXXX";
    ASSERT_NE(::mkdtemp(pattern.data()), nullptr);
    directory_ = pattern;
  }
  void TearDown() override { EXPECT_TRUE(files_.remove_tree(directory_)); }
  [[nodiscard]] std::string path(const std::string& name) const { return directory_ + "/" + name; }
  std::unique_ptr<File> open(const std::string& name, OpenMode mode = OpenMode::create) {
    auto file = files_.open(path(name), mode);
    EXPECT_TRUE(file) << file.error().message;
    return file ? std::move(*file) : nullptr;
  }

  std::unique_ptr<RealEnvironment> environment_ = make_real_environment({});
  FileSystem& files_ = environment_->files();
  std::string directory_;
};

TEST_F(FileTest, WhatIsWrittenInPiecesIsReadBack) {
  const auto file = open("a");
  const std::vector<ByteView> pieces{as_bytes("one "), {}, as_bytes("two "), as_bytes("three")};
  ASSERT_TRUE(file->write_at(pieces, 0));
  ASSERT_TRUE(file->write_at(as_bytes("TWO"), 4));
  ASSERT_TRUE(file->sync());
  EXPECT_EQ(file->size().value(), 13);
  Bytes buffer(64);
  ASSERT_EQ(file->read_at(buffer, 4).value(), 9U);
  EXPECT_EQ(as_text({buffer.data(), 9}), "TWO three");
  EXPECT_EQ(file->read_at(buffer, 13).value(), 0U);
  EXPECT_EQ(file->read_at(buffer, 1000).value(), 0U);
  ASSERT_TRUE(file->truncate(3));
  EXPECT_EQ(file->read_at(buffer, 0).value(), 3U);
  EXPECT_EQ(files_.read_file(path("a")).value(), Bytes({'o', 'n', 'e'}));
  EXPECT_EQ(files_.file_size(path("a")).value(), 3);
}

TEST_F(FileTest, MorePiecesThanOneCallTakesAreAllWritten) {
  const auto file = open("pieces");
  Bytes bytes(5000);
  for (std::size_t i = 0; i < bytes.size(); ++i) bytes[i] = static_cast<std::uint8_t>(i * 7);
  std::vector<ByteView> pieces;
  for (const std::uint8_t& byte : bytes) pieces.push_back({&byte, 1});
  ASSERT_TRUE(file->write_at(pieces, 10));
  Bytes read(bytes.size());
  ASSERT_EQ(file->read_at(read, 10).value(), bytes.size());
  EXPECT_EQ(read, bytes);
}

TEST_F(FileTest, CachedReadsGiveWhatIsInMemoryAndNeverWait) {
  const auto file = open("cached");
  const Bytes bytes(1 << 20, 0x5a);
  ASSERT_TRUE(file->write_at(bytes, 0));
  Bytes read(4096);
  const auto cached = file->read_at(read, 8192, ReadMode::cached_only);
  // A file system that cannot tell says EAGAIN, always.
  if (cached) {
    EXPECT_EQ(*cached, 4096U);
  } else {
    EXPECT_EQ(cached.error().os_error, EAGAIN);
  }
  ASSERT_TRUE(file->sync());
  file->drop_cache(0, 1 << 20);
  const auto dropped = file->read_at(read, 8192, ReadMode::cached_only);
  // Dropping is advice, so the bytes may still be there.
  if (!dropped) EXPECT_EQ(dropped.error().os_error, EAGAIN);
  EXPECT_EQ(file->read_at(read, 8192).value(), 4096U);
  EXPECT_EQ(read, Bytes(4096, 0x5a));
}

TEST_F(FileTest, CachedReadsGiveTheDiskNoWork) {
  const auto file = open("cold");
  constexpr std::size_t size = 1 << 20;
  ASSERT_TRUE(file->write_at(Bytes(size, 0x5a), 0));
  EXPECT_NE(residency(*file, 0, size), Residency::none);
  ASSERT_TRUE(file->sync());
  file->disable_read_ahead();
  file->drop_cache(0, size);
  if (residency(*file, 0, size) != Residency::none) GTEST_SKIP() << "nothing is dropped here";
  Bytes read(size);
  EXPECT_EQ(file->read_at(read, 0, ReadMode::cached_only).error().os_error, EAGAIN);
  EXPECT_EQ(residency(*file, 0, size), Residency::none);
  // Of a range that is there in part, no more than a page is copied.
  ASSERT_TRUE(file->read_at({read.data(), size / 2}, 0));
  EXPECT_EQ(residency(*file, 0, size / 2), Residency::all);
  EXPECT_EQ(residency(*file, 0, size), Residency::some);
  EXPECT_EQ(file->read_at(read, 10, ReadMode::cached_only).value(),
            static_cast<std::size_t>(::sysconf(_SC_PAGESIZE)) - 10);
  EXPECT_EQ(file->read_at(read, size / 2 - 1, ReadMode::cached_only).value(), 1U);
  EXPECT_EQ(file->read_at(read, size / 2, ReadMode::cached_only).error().os_error, EAGAIN);
  EXPECT_EQ(residency(*file, size / 2, size / 2), Residency::none);
  EXPECT_EQ(file->read_at({read.data(), size / 2}, 0, ReadMode::cached_only).value(), size / 2);
}

// As where the system cannot tell: the ends of what is asked for are tried first. A quick disk may
// have brought the last page before it is looked at, and then the first is tried, too.
TEST_F(FileTest, CachedReadsGiveTheDiskAPageOfWorkWhereTheSystemCannotTell) {
  const auto file = open("cold");
  constexpr std::size_t size = 1 << 20;
  const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
  ASSERT_TRUE(file->write_at(Bytes(size, 0x5a), 0));
  ASSERT_TRUE(file->sync());
  file->disable_read_ahead();
  const int descriptor = static_cast<const RealFile&>(*file).descriptor();
  Bytes read(size);
  ::ssize_t count = 0;
  for (int attempt = 0; attempt < 20 && count >= 0; ++attempt) {
    file->drop_cache(0, size);
    if (residency(*file, 0, size) != Residency::none) GTEST_SKIP() << "nothing is dropped here";
    count = read_resident(descriptor, read, 0, Residency::unknown);
  }
  EXPECT_EQ(count, -EAGAIN);
  EXPECT_EQ(residency(*file, page, size - 2 * page), Residency::none);
  EXPECT_TRUE(file->read_at(read, 0));
  EXPECT_EQ(read_resident(descriptor, read, 0, Residency::unknown), ::ssize_t{size});
}

TEST_F(FileTest, PinsAreBoundedAndLeaveTheFileUsable) {
  std::vector<std::unique_ptr<FilePin>> pins;
  const auto file = open("pinned");
  for (auto pin = file->pin(); pin != nullptr; pin = file->pin()) pins.push_back(std::move(pin));
  EXPECT_GE(pins.size(), 1000U);
  EXPECT_LE(pins.size(), 40'000U) << "the system allows 65,530 mappings";
  EXPECT_TRUE(file->write_at(as_bytes("bytes"), 0));
  EXPECT_TRUE(open("pinned")->sync());
  pins.pop_back();
  EXPECT_NE(file->pin(), nullptr);
  EXPECT_TRUE(file->truncate(0));
}

TEST_F(FileTest, OpenModesAskForAbsenceOrPresence) {
  EXPECT_EQ(files_.open(path("x"), OpenMode::read).error().os_error, ENOENT);
  EXPECT_EQ(files_.open(path("x"), OpenMode::read_write).error().os_error, ENOENT);
  EXPECT_TRUE(files_.open(path("x"), OpenMode::create_new));
  EXPECT_EQ(files_.open(path("x"), OpenMode::create_new).error().os_error, EEXIST);
  EXPECT_TRUE(files_.open(path("x"), OpenMode::create));
  const auto read_only = open("x", OpenMode::read);
  EXPECT_FALSE(read_only->write_at(as_bytes("no"), 0));
}

TEST_F(FileTest, ErrorsNameThePathTheActAndTheReason) {
  const auto missing = files_.open(path("missing"), OpenMode::read);
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::kafka_storage_error);
  EXPECT_EQ(missing.error().message, path("missing") + ": open: No such file or directory");
}

TEST_F(FileTest, AFullDiskIsAnErrorOfTheWrite) {
  const auto full = files_.open("/dev/full", OpenMode::read_write);
  if (!full) GTEST_SKIP() << "no /dev/full here";
  const auto written = (*full)->write_at(as_bytes("bytes"), 0);
  ASSERT_FALSE(written);
  EXPECT_EQ(written.error().os_error, ENOSPC);
}

TEST_F(FileTest, DirectoriesAreMadeListedAndRemoved) {
  ASSERT_TRUE(files_.create_directories(path("d/e/f")));
  ASSERT_TRUE(files_.create_directories(path("d/e/f")));
  open("d/z");
  open("d/b");
  const auto entries = files_.list(path("d"));
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 3U);
  EXPECT_EQ((*entries)[0].name, "b");
  EXPECT_EQ((*entries)[1].name, "e");
  EXPECT_TRUE((*entries)[1].is_directory);
  EXPECT_EQ((*entries)[2].name, "z");
  EXPECT_FALSE((*entries)[2].is_directory);
  EXPECT_TRUE(files_.sync_directory(path("d")));
  const auto held = files_.hold(path("d"));
  ASSERT_TRUE(held);
  EXPECT_TRUE((*held)->sync());
  EXPECT_EQ(files_.hold(path("none")).error().os_error, ENOENT);
  ASSERT_TRUE(files_.rename(path("d/z"), path("d/b")));
  EXPECT_FALSE(files_.exists(path("d/z")));
  EXPECT_TRUE(files_.remove(path("d/b")));
  EXPECT_TRUE(files_.remove(path("d/b"))) << "removing what is absent succeeds";
  EXPECT_TRUE(files_.remove_tree(path("d")));
  EXPECT_FALSE(files_.exists(path("d")));
  EXPECT_EQ(files_.list(path("d")).error().os_error, ENOENT);
}

TEST_F(FileTest, ReplacingAFileLeavesOldOrNewAndNoTemporary) {
  ASSERT_TRUE(files_.replace_file(path("meta"), as_bytes("first, and longer")));
  ASSERT_TRUE(files_.replace_file(path("meta"), as_bytes("second")));
  EXPECT_EQ(as_text(files_.read_file(path("meta")).value()), "second");
  EXPECT_FALSE(files_.exists(path("meta.tmp")));
  // A leftover of a crash is overwritten, whatever its length.
  open("meta.tmp")->write_at(as_bytes("a long leftover of a crash"), 0).value();
  ASSERT_TRUE(files_.replace_file(path("meta"), as_bytes("third"), false));
  EXPECT_EQ(as_text(files_.read_file(path("meta")).value()), "third");
}

TEST_F(FileTest, AFileAboveTheLimitIsNotRead) {
  open("large")->write_at(as_bytes("0123456789"), 0).value();
  EXPECT_TRUE(files_.read_file(path("large"), 10));
  EXPECT_EQ(files_.read_file(path("large"), 9).error().os_error, EFBIG);
}

TEST_F(FileTest, SpaceIsPlausible) {
  const auto space = files_.space(directory_);
  ASSERT_TRUE(space);
  EXPECT_GT(space->total_bytes, 0);
  EXPECT_GE(space->usable_bytes, 0);
  EXPECT_LE(space->usable_bytes, space->total_bytes);
}

TEST_F(FileTest, ALockIsHeldOnceWithinThisProcess) {
  auto first = files_.lock(path(".lock"));
  ASSERT_TRUE(first);
  const auto second = files_.lock(path(".lock"));
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().message, path(".lock") + ": lock: held by this process");
  EXPECT_TRUE(files_.lock(path("other.lock")));
  first->reset();
  EXPECT_TRUE(files_.lock(path(".lock")));
}

TEST_F(FileTest, ALockOfAnotherProcessIsRespected) {
  std::array<int, 2> locked{};
  std::array<int, 2> release{};
  ASSERT_EQ(::pipe(locked.data()), 0);
  ASSERT_EQ(::pipe(release.data()), 0);
  const std::string file = path(".lock");
  const ::pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Only system calls: the parent had threads.
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT, 0644);
    struct flock whole{};
    whole.l_type = F_WRLCK;
    whole.l_whence = SEEK_SET;
    char byte = ::fcntl(descriptor, F_SETLK, &whole) == 0 ? 'y' : 'n';
    const bool told = ::write(locked[1], &byte, 1) == 1 && ::read(release[0], &byte, 1) == 1;
    ::_exit(told ? 0 : 1);
  }
  char byte = 0;
  ASSERT_EQ(::read(locked[0], &byte, 1), 1);
  ASSERT_EQ(byte, 'y');
  const auto refused = files_.lock(file);
  EXPECT_FALSE(refused);
  if (!refused) {
    EXPECT_EQ(refused.error().message, file + ": lock: held by another process");
  }
  ASSERT_EQ(::write(release[1], &byte, 1), 1);
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(files_.lock(file)) << "a lock ends with the process that held it";
  for (const int descriptor : {locked[0], locked[1], release[0], release[1]}) ::close(descriptor);
}

TEST_F(FileTest, TheDescriptorLimitIsRaisedToTheHardOne) {
  const std::size_t limit = raise_descriptor_limit();
  EXPECT_GE(limit, 256U);
  EXPECT_EQ(raise_descriptor_limit(), limit);
}

}  // namespace
}  // namespace arus::env
