#include "storage/meta_properties.h"

#include <fmt/core.h>

#include <charconv>
#include <chrono>
#include <map>

namespace arus::storage {

namespace {

// "Mon Nov 23 14:40:22 UTC 2026", as java.util.Date prints itself.
std::string date_line(std::int64_t now_ms) {
  using namespace std::chrono;
  constexpr std::string_view days = "SunMonTueWedThuFriSat";
  constexpr std::string_view months = "JanFebMarAprMayJunJulAugSepOctNovDec";
  const sys_time<milliseconds> now{milliseconds{now_ms}};
  const auto midnight = floor<std::chrono::days>(now);
  const year_month_day date{midnight};
  const hh_mm_ss time{floor<seconds>(now - midnight)};
  return fmt::format("{} {} {:02} {:02}:{:02}:{:02} UTC {}",
                     days.substr(3UL * weekday{midnight}.c_encoding(), 3),
                     months.substr(3UL * (static_cast<unsigned>(date.month()) - 1), 3),
                     static_cast<unsigned>(date.day()), time.hours().count(),
                     time.minutes().count(), time.seconds().count(), static_cast<int>(date.year()));
}

bool is_space(char c) { return c == ' ' || c == '\t' || c == '\f' || c == '\r'; }

std::string_view trim_front(std::string_view text) {
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  return text;
}

// Backslashes before separators are all that Java writes for the values that stand here.
std::string unescape(std::string_view text) {
  std::string plain;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) ++i;
    plain += text[i];
  }
  return plain;
}

std::string escape(std::string_view text) {
  std::string escaped;
  for (const char c : text) {
    if (c == '\\' || c == ':' || c == '=' || c == '#' || c == '!') escaped += '\\';
    escaped += c;
  }
  return escaped;
}

std::map<std::string, std::string> parse_properties(std::string_view text) {
  std::map<std::string, std::string> properties;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = trim_front(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (line.empty() || line.front() == '#' || line.front() == '!') continue;
    std::size_t at = 0;
    while (at < line.size() && line[at] != '=' && line[at] != ':' && !is_space(line[at])) {
      at += line[at] == '\\' ? 2 : 1;
    }
    at = std::min(at, line.size());
    std::string_view value = trim_front(line.substr(at));
    if (!value.empty() && (value.front() == '=' || value.front() == ':')) value.remove_prefix(1);
    properties[unescape(line.substr(0, at))] = unescape(trim_front(value));
  }
  return properties;
}

}  // namespace

std::string encode_meta_properties(const DirectoryIdentity& identity, std::int64_t now_ms) {
  return fmt::format("#\n#{}\nnode.id={}\ndirectory.id={}\nversion=1\ncluster.id={}\n",
                     date_line(now_ms), identity.node_id, identity.directory_id.to_string(),
                     escape(identity.cluster_id));
}

Result<DirectoryIdentity> parse_meta_properties(std::string_view text) {
  const auto refuse = [](std::string why) {
    return fail(ErrorCode::kafka_storage_error, "meta.properties " + why);
  };
  auto properties = parse_properties(text);
  const std::string& version = properties["version"];
  if (version == "0") {
    return refuse("has version 0: the directory was written by Kafka with ZooKeeper");
  }
  if (version != "1") return refuse(fmt::format("has the unknown version \"{}\"", version));
  DirectoryIdentity identity;
  identity.cluster_id = properties["cluster.id"];
  if (identity.cluster_id.empty()) return refuse("has no cluster.id");
  const std::string& node = properties["node.id"];
  const auto [end, error] =
      std::from_chars(node.data(), node.data() + node.size(), identity.node_id);
  if (error != std::errc{} || end != node.data() + node.size() || identity.node_id < 0) {
    return refuse("has no node.id that is a number");
  }
  // Directories that Kafka formatted before 3.7 have none.
  if (const std::string& id = properties["directory.id"]; !id.empty()) {
    const auto parsed = Uuid::parse(id);
    if (!parsed) return refuse("has a directory.id that is no id");
    identity.directory_id = *parsed;
  }
  return identity;
}

}  // namespace arus::storage
