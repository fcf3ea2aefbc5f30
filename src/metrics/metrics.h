// Counters, gauges and histograms, and their text for Prometheus.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace arus::metrics {

// A number that only grows. Thread-safe.
class Counter {
 public:
  void add(std::uint64_t amount = 1) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] std::uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::uint64_t> value_{0};
};

// A number that goes up and down. Thread-safe.
class Gauge {
 public:
  void set(std::int64_t value) { value_.store(value, std::memory_order_relaxed); }
  void add(std::int64_t amount) { value_.fetch_add(amount, std::memory_order_relaxed); }
  [[nodiscard]] std::int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<std::int64_t> value_{0};
};

// Durations sorted into buckets whose bounds double from 64 microseconds on. Thread-safe.
class Histogram {
 public:
  static constexpr std::size_t bucket_count = 20;  // the last one holds everything above 16.8 s
  static constexpr std::int64_t first_bound_us = 64;

  void observe_us(std::int64_t microseconds);
  [[nodiscard]] std::uint64_t count() const;
  [[nodiscard]] std::uint64_t bucket(std::size_t index) const {
    return buckets_[index].load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::int64_t sum_us() const { return sum_us_.load(std::memory_order_relaxed); }

 private:
  std::array<std::atomic<std::uint64_t>, bucket_count> buckets_{};
  std::atomic<std::int64_t> sum_us_{0};
};

// One label of a series, for example {"api", "Produce"}.
struct Label {
  std::string name;
  std::string value;
};

// All series of the process. Series live as long as the registry; making one twice with the same
// name and labels gives the same one. Thread-safe.
class Registry {
 public:
  Counter& counter(std::string_view name, std::string_view help, std::vector<Label> labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, std::vector<Label> labels = {});
  Histogram& histogram(std::string_view name, std::string_view help,
                       std::vector<Label> labels = {});
  // A gauge that is read when it is asked for. `read` must be callable from any thread.
  void computed(std::string_view name, std::string_view help, std::function<double()> read);

  // The text exposition format, version 0.0.4.
  [[nodiscard]] std::string prometheus_text() const;

 private:
  enum class Kind : std::uint8_t { counter, gauge, histogram, computed };
  struct Series {
    std::string name;
    std::string help;
    std::string labels;  // rendered, without braces
    Kind kind = Kind::counter;
    Counter counter;
    Gauge gauge;
    std::unique_ptr<Histogram> histogram;
    std::function<double()> read;
  };
  Series& find_or_make(Kind kind, std::string_view name, std::string_view help,
                       const std::vector<Label>& labels);

  mutable std::mutex mutex_;
  std::vector<std::unique_ptr<Series>> series_;
};

}  // namespace arus::metrics
