#include "env/simulated/disk.h"

#include <cerrno>

namespace arus::env {
namespace {

// Each test runs with several seeds: what survives a crash is drawn.
class SimulatedDiskTest : public testing::TestWithParam<std::uint64_t> {
 protected:
  std::unique_ptr<File> open(const std::string& path, OpenMode mode = OpenMode::create) {
    auto file = disk_.open(path, mode);
    EXPECT_TRUE(file) << file.error().message;
    return file ? std::move(*file) : nullptr;
  }
  std::string text(const std::string& path) {
    const auto bytes = disk_.read_file(path);
    return bytes ? std::string(as_text(*bytes)) : "(" + bytes.error().message + ")";
  }

  Simulation simulation_{{.seed = GetParam()}};
  std::shared_ptr<SimulatedDisk> shared_ = simulation_.make_disk();
  SimulatedDisk& disk_ = *shared_;
};

INSTANTIATE_TEST_SUITE_P(Seeds, SimulatedDiskTest, testing::Range<std::uint64_t>(1, 51));

TEST_P(SimulatedDiskTest, WhatWasFlushedSurvivesACrash) {
  ASSERT_TRUE(disk_.create_directories("/data/topic-0"));
  ASSERT_TRUE(disk_.sync_directory("/"));
  ASSERT_TRUE(disk_.sync_directory("/data"));
  Bytes written(100'000);
  for (std::size_t i = 0; i < written.size(); ++i) written[i] = static_cast<std::uint8_t>(i * 13);
  auto file = open("/data/topic-0/log");
  ASSERT_TRUE(disk_.sync_directory("/data/topic-0"));
  ASSERT_TRUE(file->write_at(written, 0));
  ASSERT_TRUE(file->sync());
  // Overwritten and appended, not flushed.
  ASSERT_TRUE(file->write_at(Bytes(30'000, 0xff), 90'000));
  disk_.crash();
  const auto read = disk_.read_file("/data/topic-0/log");
  ASSERT_TRUE(read);
  ASSERT_GE(read->size(), written.size());
  ASSERT_LE(read->size(), 120'000U);
  for (std::size_t i = 0; i < 90'000; ++i) ASSERT_EQ((*read)[i], written[i]);
  for (std::size_t i = 90'000; i < read->size(); ++i) {
    const std::uint8_t old = i < written.size() ? written[i] : 0;
    ASSERT_TRUE((*read)[i] == 0xff || (*read)[i] == old) << i;
  }
}

TEST_P(SimulatedDiskTest, OldHandlesAreDeadAfterACrash) {
  auto file = open("/f");
  auto lock = disk_.lock("/.lock");
  ASSERT_TRUE(lock);
  EXPECT_FALSE(disk_.lock("/.lock"));
  disk_.crash({.keep_entry = 1});
  EXPECT_EQ(file->write_at(as_bytes("x"), 0).error().os_error, EIO);
  EXPECT_EQ(file->sync().error().os_error, EIO);
  auto next = disk_.lock("/.lock");
  EXPECT_TRUE(next) << "its holder died";
  lock->reset();
  EXPECT_FALSE(disk_.lock("/.lock")) << "the dead lock released nothing";
}

TEST_P(SimulatedDiskTest, AFlushedFileWithoutItsEntryMayBeGone) {
  auto file = open("/f");
  ASSERT_TRUE(file->write_at(as_bytes("bytes"), 0));
  ASSERT_TRUE(file->sync());
  disk_.crash({.keep_entry = 0});
  EXPECT_FALSE(disk_.exists("/f"));
  open("/f")->sync().value();
  disk_.crash({.keep_entry = 1});
  EXPECT_TRUE(disk_.exists("/f"));
}

TEST_P(SimulatedDiskTest, ReplacingAFileIsAtomic) {
  ASSERT_TRUE(disk_.replace_file("/meta", as_bytes("old contents")));
  const Bytes fresh(9000, 'n');
  // Power fails at the n-th operation of the replacement.
  for (int allowed = 0; allowed < 8; ++allowed) {
    ASSERT_TRUE(disk_.replace_file("/meta", as_bytes("old contents")));
    int left = allowed;
    disk_.set_fault_hook([&](const FileOperation&) {
      if (left-- > 0) return FileFault{};
      disk_.cut_power();
      return FileFault{.os_error = EIO};
    });
    const auto replaced = disk_.replace_file("/meta", fresh);
    disk_.set_fault_hook(nullptr);
    disk_.crash();
    const std::string now = text("/meta");
    const bool is_new = now == as_text(fresh);
    EXPECT_TRUE(is_new || now == "old contents") << now;
    if (replaced) EXPECT_TRUE(is_new) << "what was reported done is durable";
  }
}

TEST_P(SimulatedDiskTest, NothingHappensAfterThePowerIsCut) {
  auto file = open("/f");
  ASSERT_TRUE(file->write_at(as_bytes("kept"), 0));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(disk_.sync_directory("/"));
  disk_.cut_power();
  EXPECT_FALSE(file->write_at(as_bytes("lost"), 0));
  EXPECT_FALSE(file->sync());
  EXPECT_FALSE(disk_.remove("/f"));
  EXPECT_FALSE(disk_.exists("/f"));
  disk_.crash();
  EXPECT_EQ(text("/f"), "kept");
}

TEST_P(SimulatedDiskTest, AFlushAfterAFailedOneBringsNothingBack) {
  auto file = open("/f");
  ASSERT_TRUE(disk_.sync_directory("/"));
  ASSERT_TRUE(file->write_at(as_bytes("first"), 0));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->write_at(as_bytes("other"), 0));
  disk_.set_fault_hook([](const FileOperation& operation) {
    return FileFault{.os_error = operation.act == FileAct::sync ? EIO : 0};
  });
  EXPECT_EQ(file->sync().error().os_error, EIO);
  disk_.set_fault_hook(nullptr);
  EXPECT_TRUE(file->sync()) << "the system says so, and lies";
  EXPECT_EQ(text("/f"), "other");
  disk_.crash();
  EXPECT_EQ(text("/f"), "first");
}

TEST_P(SimulatedDiskTest, AFailureToWriteBackIsToldOnceToEachThatWasOpenBefore) {
  auto file = open("/f");
  ASSERT_TRUE(disk_.sync_directory("/"));
  const auto held = disk_.hold("/").value();
  const auto other = disk_.hold("/").value();
  ASSERT_TRUE(file->write_at(as_bytes("lost"), 0));
  EXPECT_TRUE(held->sync());
  ASSERT_TRUE(file->write_at(as_bytes("gone"), 0));
  disk_.fail_write_back("/f");
  EXPECT_TRUE(open("/f")->sync()) << "it was opened later";
  EXPECT_TRUE(disk_.hold("/").value()->sync()) << "so was this";
  EXPECT_EQ(held->sync().error().os_error, EIO);
  EXPECT_TRUE(held->sync());
  EXPECT_EQ(file->sync().error().os_error, EIO);
  EXPECT_TRUE(file->sync());
  EXPECT_EQ(other->sync().error().os_error, EIO);
  disk_.crash();
  EXPECT_EQ(text("/f"), "lost");
}

TEST_P(SimulatedDiskTest, AFailureToWriteBackAPinnedFileIsToldOnceToWhoeverOpensItNext) {
  auto file = open("/f");
  ASSERT_TRUE(disk_.sync_directory("/"));
  ASSERT_TRUE(file->write_at(as_bytes("lost"), 0));
  auto pin = file->pin();
  file = nullptr;
  disk_.fail_write_back("/f");
  EXPECT_EQ(open("/f")->sync().error().os_error, EIO);
  EXPECT_TRUE(open("/f")->sync()) << "it has been told";
  disk_.fail_write_back("/f");
  pin = nullptr;
  EXPECT_TRUE(open("/f")->sync()) << "it is forgotten";
}

TEST_P(SimulatedDiskTest, NoMoreFilesArePinnedThanThereIsRoomFor) {
  const auto file = open("/f");
  disk_.set_most_pins(1);
  auto pin = file->pin();
  EXPECT_NE(pin, nullptr);
  EXPECT_EQ(file->pin(), nullptr);
  pin = nullptr;
  EXPECT_NE(file->pin(), nullptr);
}

TEST_P(SimulatedDiskTest, WritingBackIsNoFlushAndItsFailureIsToldByOne) {
  auto file = open("/f");
  ASSERT_TRUE(disk_.sync_directory("/"));
  const auto held = disk_.hold("/").value();
  ASSERT_TRUE(file->write_at(as_bytes("bytes"), 0));
  ASSERT_TRUE(file->start_write_back());
  disk_.set_fault_hook([](const FileOperation& operation) {
    return FileFault{.os_error = operation.act == FileAct::write_back ? EIO : 0};
  });
  EXPECT_TRUE(file->start_write_back());
  EXPECT_EQ(held->sync().error().os_error, EIO);
  EXPECT_EQ(file->sync().error().os_error, EIO);
  disk_.crash({.keep_page = 1, .tear_page = 0});
  EXPECT_EQ(disk_.file_size("/f").value(), 5);
  EXPECT_NE(text("/f"), "bytes");
}

TEST_P(SimulatedDiskTest, FaultsAreInjectedByOperation) {
  auto file = open("/f");
  disk_.set_fault_hook([](const FileOperation& operation) {
    if (operation.act == FileAct::write && operation.offset == 100) {
      return FileFault{.os_error = ENOSPC, .at_most_bytes = 3};
    }
    if (operation.act == FileAct::read) return FileFault{.at_most_bytes = 2};
    return FileFault{};
  });
  EXPECT_TRUE(file->write_at(Bytes(100, 'a'), 0));
  EXPECT_EQ(file->write_at(Bytes(100, 'b'), 100).error().os_error, ENOSPC);
  EXPECT_EQ(file->size().value(), 103) << "a part was written";
  Bytes buffer(50);
  EXPECT_EQ(file->read_at(buffer, 0).value(), 2U);
}

TEST_P(SimulatedDiskTest, AFullDiskRefusesGrowthAndNothingElse) {
  disk_.set_capacity(10'000);
  auto file = open("/f");
  EXPECT_TRUE(file->write_at(Bytes(9'000, 'a'), 0));
  EXPECT_EQ(file->write_at(Bytes(2'000, 'b'), 9'000).error().os_error, ENOSPC);
  EXPECT_EQ(file->size().value(), 10'000);
  EXPECT_EQ(disk_.space("/").value().usable_bytes, 0);
  EXPECT_TRUE(file->write_at(Bytes(2'000, 'c'), 0)) << "overwriting needs no room";
  EXPECT_TRUE(file->truncate(1'000));
  EXPECT_TRUE(file->write_at(Bytes(2'000, 'b'), 1'000));
  ASSERT_TRUE(disk_.remove("/f"));
  EXPECT_EQ(disk_.space("/").value().usable_bytes, 10'000);
}

TEST_P(SimulatedDiskTest, AnUnflushedTruncationLosesNothingDurable) {
  auto file = open("/f");
  ASSERT_TRUE(disk_.sync_directory("/"));
  const Bytes written(20'000, 'a');
  ASSERT_TRUE(file->write_at(written, 0));
  ASSERT_TRUE(file->sync());
  ASSERT_TRUE(file->truncate(6'000));
  EXPECT_EQ(file->size().value(), 6'000);
  disk_.crash();
  const auto read = disk_.read_file("/f");
  ASSERT_TRUE(read);
  EXPECT_TRUE(read->size() == 6'000 || read->size() == 20'000) << read->size();
  EXPECT_EQ(*read, Bytes(read->size(), 'a'));
}

TEST_P(SimulatedDiskTest, AJournalKeepsAPrefixOfTheEntries) {
  for (int i = 0; i < 10; ++i) open("/" + std::to_string(i));
  disk_.crash({.keep_entry = 0.7, .entries_in_order = true});
  bool ended = false;
  for (int i = 0; i < 10; ++i) {
    const bool exists = disk_.exists("/" + std::to_string(i));
    EXPECT_FALSE(exists && ended);
    ended = ended || !exists;
  }
}

TEST_P(SimulatedDiskTest, DirectoriesBehaveAsTheSystems) {
  EXPECT_EQ(disk_.open("a/b", OpenMode::create).error().os_error, ENOENT);
  ASSERT_TRUE(disk_.create_directories("a/b/c"));
  open("a/b/f")->write_at(as_bytes("moved"), 0).value();
  EXPECT_EQ(disk_.open("a/b/f", OpenMode::create_new).error().os_error, EEXIST);
  EXPECT_EQ(disk_.open("a/b", OpenMode::read).error().os_error, EISDIR);
  EXPECT_EQ(disk_.open("a/b/f/g", OpenMode::read).error().os_error, ENOTDIR);
  ASSERT_TRUE(disk_.rename("a/b", "a/d"));
  EXPECT_EQ(text("/a/d/f"), "moved");
  EXPECT_FALSE(disk_.exists("a/b"));
  const auto entries = disk_.list("a/d");
  ASSERT_TRUE(entries);
  ASSERT_EQ(entries->size(), 2U);
  EXPECT_TRUE((*entries)[0].is_directory);
  EXPECT_EQ((*entries)[1].name, "f");
  ASSERT_TRUE(disk_.hold("/").value()->sync());
  ASSERT_TRUE(disk_.remove_tree("a"));
  EXPECT_FALSE(disk_.exists("a"));
  disk_.crash({.keep_entry = 0});
  EXPECT_EQ(text("a/d/f"), "moved") << "the removal was not flushed";
}

}  // namespace
}  // namespace arus::env
