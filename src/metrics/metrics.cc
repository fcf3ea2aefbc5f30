#include "metrics/metrics.h"

#include <fmt/core.h>

#include <algorithm>
#include <bit>
#include <set>
#include <utility>

namespace arus::metrics {
namespace {

std::string render_labels(const std::vector<Label>& labels) {
  std::string text;
  for (const auto& label : labels) {
    if (!text.empty()) text += ',';
    text += label.name + "=\"";
    for (const char c : label.value) {
      if (c == '\\' || c == '"') text += '\\';
      text += c == '\n' ? std::string("\\n") : std::string(1, c);
    }
    text += '"';
  }
  return text;
}

std::string with_label(const std::string& labels, const std::string& more) {
  return labels.empty() ? more : labels + "," + more;
}

std::string line(const std::string& name, const std::string& labels, const std::string& value) {
  return labels.empty() ? fmt::format("{} {}\n", name, value)
                        : fmt::format("{}{{{}}} {}\n", name, labels, value);
}

std::string render_histogram(const std::string& name, const std::string& labels,
                             const Histogram& histogram) {
  std::string text;
  std::uint64_t below = 0;
  for (std::size_t i = 0; i + 1 < Histogram::bucket_count; ++i) {
    below += histogram.bucket(i);
    const double bound = static_cast<double>(Histogram::first_bound_us << i) / 1e6;
    text += line(name + "_bucket", with_label(labels, fmt::format("le=\"{}\"", bound)),
                 std::to_string(below));
  }
  below += histogram.bucket(Histogram::bucket_count - 1);
  text += line(name + "_bucket", with_label(labels, "le=\"+Inf\""), std::to_string(below));
  text +=
      line(name + "_sum", labels, fmt::format("{}", static_cast<double>(histogram.sum_us()) / 1e6));
  text += line(name + "_count", labels, std::to_string(below));
  return text;
}

}  // namespace

void Histogram::observe_us(std::int64_t microseconds) {
  const auto scaled = static_cast<std::uint64_t>(std::max<std::int64_t>(microseconds - 1, 0)) /
                      static_cast<std::uint64_t>(first_bound_us);
  const auto index =
      std::min<std::size_t>(static_cast<std::size_t>(std::bit_width(scaled)), bucket_count - 1);
  buckets_[index].fetch_add(1, std::memory_order_relaxed);
  sum_us_.fetch_add(microseconds, std::memory_order_relaxed);
}

std::uint64_t Histogram::count() const {
  std::uint64_t all = 0;
  for (const auto& bucket : buckets_) all += bucket.load(std::memory_order_relaxed);
  return all;
}

Registry::Series& Registry::find_or_make(Kind kind, std::string_view name, std::string_view help,
                                         const std::vector<Label>& labels) {
  const std::string rendered = render_labels(labels);
  const std::lock_guard lock(mutex_);
  for (const auto& series : series_) {
    if (series->name == name && series->labels == rendered) return *series;
  }
  auto series = std::make_unique<Series>();
  series->name = name;
  series->help = help;
  series->labels = rendered;
  series->kind = kind;
  if (kind == Kind::histogram) series->histogram = std::make_unique<Histogram>();
  series_.push_back(std::move(series));
  return *series_.back();
}

Counter& Registry::counter(std::string_view name, std::string_view help,
                           std::vector<Label> labels) {
  return find_or_make(Kind::counter, name, help, labels).counter;
}

Gauge& Registry::gauge(std::string_view name, std::string_view help, std::vector<Label> labels) {
  return find_or_make(Kind::gauge, name, help, labels).gauge;
}

Histogram& Registry::histogram(std::string_view name, std::string_view help,
                               std::vector<Label> labels) {
  return *find_or_make(Kind::histogram, name, help, labels).histogram;
}

void Registry::computed(std::string_view name, std::string_view help,
                        std::function<double()> read) {
  find_or_make(Kind::computed, name, help, {}).read = std::move(read);
}

std::string Registry::prometheus_text() const {
  static constexpr const char* types[] = {"counter", "gauge", "histogram", "gauge"};
  const std::lock_guard lock(mutex_);
  std::string text;
  std::set<std::string> done;
  for (const auto& first : series_) {
    if (!done.insert(first->name).second) continue;
    text += fmt::format("# HELP {} {}\n# TYPE {} {}\n", first->name, first->help, first->name,
                        types[static_cast<std::size_t>(first->kind)]);
    for (const auto& series : series_) {
      if (series->name != first->name) continue;
      switch (series->kind) {
        case Kind::counter:
          text += line(series->name, series->labels, std::to_string(series->counter.value()));
          break;
        case Kind::gauge:
          text += line(series->name, series->labels, std::to_string(series->gauge.value()));
          break;
        case Kind::histogram:
          text += render_histogram(series->name, series->labels, *series->histogram);
          break;
        case Kind::computed:
          text += line(series->name, series->labels, fmt::format("{}", series->read()));
          break;
      }
    }
  }
  return text;
}

}  // namespace arus::metrics
