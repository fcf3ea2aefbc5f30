#include "raft/core/quorum_state.h"

#include <fmt/core.h>

#include <charconv>
#include <map>

namespace arus::raft {
namespace {

// Just enough JSON for one flat object: its strings and numbers by name; arrays and objects inside
// it are stepped over.
class FlatJson {
 public:
  explicit FlatJson(std::string_view text) : rest_(text) {}

  bool parse() {
    skip_space();
    if (!take('{')) return false;
    skip_space();
    if (take('}')) return at_end();
    for (;;) {
      std::string name;
      if (!text(name)) return false;
      skip_space();
      if (!take(':')) return false;
      if (!value(name)) return false;
      skip_space();
      if (take('}')) return at_end();
      if (!take(',')) return false;
      skip_space();
    }
  }

  [[nodiscard]] const std::string* find(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? nullptr : &found->second;
  }

 private:
  void skip_space() {
    while (!rest_.empty() && (rest_.front() == ' ' || rest_.front() == '\t' ||
                              rest_.front() == '\n' || rest_.front() == '\r')) {
      rest_.remove_prefix(1);
    }
  }
  bool at_end() {
    skip_space();
    return rest_.empty();
  }
  bool take(char c) {
    if (rest_.empty() || rest_.front() != c) return false;
    rest_.remove_prefix(1);
    return true;
  }
  bool text(std::string& out) {
    if (!take('"')) return false;
    const std::size_t end = rest_.find('"');
    // Ids and names have no escapes.
    if (end == std::string_view::npos || rest_.substr(0, end).find('\\') != std::string_view::npos)
      return false;
    out = rest_.substr(0, end);
    rest_.remove_prefix(end + 1);
    return true;
  }
  bool skip_nested() {
    int depth = 0;
    do {
      if (rest_.empty()) return false;
      const char c = rest_.front();
      if (c == '[' || c == '{') ++depth;
      if (c == ']' || c == '}') --depth;
      rest_.remove_prefix(1);
    } while (depth > 0);
    return true;
  }
  bool value(const std::string& name) {
    skip_space();
    if (rest_.empty()) return false;
    if (rest_.front() == '[' || rest_.front() == '{') return skip_nested();
    if (rest_.front() == '"') return text(values_[name]);
    const std::size_t end = rest_.find_first_of(",} \t\r\n");
    if (end == 0 || end == std::string_view::npos) return false;
    values_[name] = rest_.substr(0, end);
    rest_.remove_prefix(end);
    return true;
  }

  std::string_view rest_;
  std::map<std::string, std::string> values_;
};

bool number(const FlatJson& json, const std::string& name, std::int32_t& out) {
  const std::string* text = json.find(name);
  if (text == nullptr) return false;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  return error == std::errc{} && end == text->data() + text->size();
}

}  // namespace

std::string format_quorum_state(const ElectionState& state, std::int16_t version,
                                const std::vector<std::int32_t>& voters) {
  if (version == 0) {
    std::string ids;
    for (const std::int32_t id : voters) {
      ids += fmt::format("{}{{\"voterId\":{}}}", ids.empty() ? "" : ",", id);
    }
    return fmt::format(
        "{{\"clusterId\":\"\",\"leaderId\":{},\"leaderEpoch\":{},\"votedId\":{},"
        "\"appliedOffset\":0,\"currentVoters\":[{}],\"data_version\":0}}",
        state.leader_id, state.epoch.value(), state.voted_id, ids);
  }
  return fmt::format(
      "{{\"leaderId\":{},\"leaderEpoch\":{},\"votedId\":{},\"votedDirectoryId\":\"{}\","
      "\"data_version\":1}}",
      state.leader_id, state.epoch.value(), state.voted_id, state.voted_directory_id.to_string());
}

Result<ElectionState> parse_quorum_state(std::string_view text) {
  FlatJson json{text};
  ElectionState state;
  std::int32_t epoch = 0;
  std::int32_t version = 0;
  if (!json.parse() || !number(json, "data_version", version) ||
      !number(json, "leaderId", state.leader_id) || !number(json, "leaderEpoch", epoch) ||
      !number(json, "votedId", state.voted_id) || epoch < 0) {
    return fail(ErrorCode::kafka_storage_error, "The file quorum-state cannot be read");
  }
  if (version > 1) {
    return fail(ErrorCode::kafka_storage_error,
                fmt::format("The file quorum-state has version {}, which is too new", version));
  }
  if (const std::string* directory = json.find("votedDirectoryId"); directory != nullptr) {
    const auto id = Uuid::parse(*directory);
    if (!id) return fail(ErrorCode::kafka_storage_error, "The file quorum-state cannot be read");
    state.voted_directory_id = *id;
  }
  state.epoch = LeaderEpoch{epoch};
  return state;
}

}  // namespace arus::raft
