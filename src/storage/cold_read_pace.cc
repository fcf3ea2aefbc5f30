#include "storage/cold_read_pace.h"

#include <algorithm>
#include <cmath>

namespace arus::storage {
namespace {

// Growth is counted with each flush, so that the floor itself is soon left behind.
constexpr double most_at_floor = 1.1 * ColdReadPace::least_bytes_per_s;

constexpr env::Duration most_credit = env::milliseconds{20};

double seconds_of(env::Duration duration) {
  return std::chrono::duration<double>(duration).count();
}

}  // namespace

void ColdReadPace::flushed(env::Duration took, env::TimePoint now) {
  // Up quickly and down slowly, so that it stays where few are above it.
  constexpr int rise = 8;
  constexpr int fall = 512;
  constexpr int most_rise = 4;  // times what it is: a stall says little about the next flushes
  grow(now);
  const bool beside_reads = any_read_ && now - took - last_read_ < aftermath;
  const env::Duration slow_from = std::max<env::Duration>(least_slow_flush, slow_factor * usual_);
  if (beside_reads && took > slow_from && now - cut_at_ >= between_cuts) cut(now);
  // What flushes take beside reads that are as slow as they can be is usual as well.
  if (beside_reads && !(limited_ && bytes_per_s_ <= most_at_floor)) return;
  const env::Duration counted = std::min(took, most_rise * std::max(usual_, least_slow_flush));
  usual_ += (counted - usual_) / (counted > usual_ ? rise : fall);
}

env::TimePoint ColdReadPace::rest_until(std::size_t bytes, env::TimePoint now) {
  grow(now);
  const auto size = static_cast<double>(bytes);
  if (!any_read_ || now - last_read_ > env::seconds{1}) {
    measured_from_ = now;
    measured_bytes_ = 0;
  }
  measured_bytes_ += size;
  if (now - measured_from_ >= between_cuts) {
    measured_rate_ = measured_bytes_ / seconds_of(now - measured_from_);
    measured_from_ = now;
    measured_bytes_ = 0;
  }
  any_read_ = true;
  last_read_ = now;
  if (!limited_) return now;
  const auto costs = env::Duration(static_cast<env::Duration::rep>(size / bytes_per_s_ * 1e9));
  // The read itself has taken a part of the time.
  free_at_ = std::min(std::max(free_at_, now - most_credit) + costs, now + longest_rest);
  last_read_ = std::max(free_at_, now);
  return last_read_;
}

void ColdReadPace::cut(env::TimePoint now) {
  double rate = measured_rate_;
  if (rate == 0) rate = measured_bytes_ / seconds_of(std::max(now - measured_from_, between_cuts));
  if (limited_) rate = std::min(rate, bytes_per_s_);
  limited_ = true;
  bytes_per_s_ = std::max(rate / 2, least_bytes_per_s);
  grown_at_ = cut_at_ = now;
}

void ColdReadPace::grow(env::TimePoint now) {
  if (!limited_ || now <= grown_at_) return;
  bytes_per_s_ *= std::pow(growth_per_s, seconds_of(now - grown_at_));
  grown_at_ = now;
  if (bytes_per_s_ >= unlimited_from) limited_ = false;
}

}  // namespace arus::storage
