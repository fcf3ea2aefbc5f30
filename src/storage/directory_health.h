// Looks after the disk of a log directory: is there space, does it answer, has it failed.
#pragma once

#include <memory>
#include <string>

#include "env/environment.h"
#include "storage/directory_status.h"
#include "storage/directory_writer.h"

namespace arus::storage {

struct HealthOptions {
  bool watches_space = false;  // otherwise the disk is looked at only while a write waits for space
  env::Duration check_interval = env::seconds{1};
  env::Duration stalled_after = env::seconds{1};
};

// Has the writer look at the disk from time to time, more often where it is nearly full; a writer
// that does not answer stands still. Owner: loop 0.
class DirectoryHealth final : public WriterObserver,
                              public std::enable_shared_from_this<DirectoryHealth> {
 public:
  DirectoryHealth(env::Environment& environment, std::string path,
                  std::shared_ptr<DirectoryWriter> writer, const HealthOptions& options)
      : environment_(environment),
        path_(std::move(path)),
        writer_(std::move(writer)),
        options_(options) {}

  void start();
  void stop();
  [[nodiscard]] const DirectoryStatus& status() const { return status_; }
  // Tells at once, and then whenever something has changed.
  void watch(StatusWatcher watcher);

 private:
  class Tick : public env::Timer {
   public:
    explicit Tick(DirectoryHealth& health) : health_(health) {}
    void fire() override { health_.check(); }

   private:
    DirectoryHealth& health_;
  };

  void on_waiting() override;
  void on_offline(const Error& error) override;
  void check();
  void note_silence();
  void note_space(const SpaceReport& report);
  void tell();
  [[nodiscard]] env::Loop& home() { return environment_.loop(0); }

  env::Environment& environment_;
  const std::string path_;
  const std::shared_ptr<DirectoryWriter> writer_;
  const HealthOptions options_;
  Tick timer_{*this};
  env::TimePoint asked_{};
  bool awaits_answer_ = false;
  bool stopped_ = false;
  DirectoryStatus status_;
  StatusWatcher watcher_;
};

}  // namespace arus::storage
