// What is known about one config key, and how its values are read and written as text.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace arus::config {

// The numbers are those of DescribeConfigs on the wire.
enum class Type : std::int8_t {
  unknown = 0,
  boolean = 1,
  string = 2,
  int32 = 3,
  int16 = 4,
  int64 = 5,
  float64 = 6,
  list = 7,
  class_name = 8,
  password = 9,
};

// Kafka's name of the type: "BOOLEAN", "INT", …
[[nodiscard]] std::string_view type_name(Type type);

// Whose setting it is. The same name may exist in several scopes.
enum class Scope : std::uint8_t {
  broker,
  topic,
  group,
  client_metrics,
  client_quota,  // of a user, a client id or both
  user,          // SCRAM credentials, beside the quotas
  ip_quota,
};

// Which ways there are to change it while the node runs.
enum class Update : std::uint8_t { read_only, cluster_wide, per_broker };

// What this version of Arus does with it.
enum class Effect : std::uint8_t { none_yet, at_once, at_next_segment, at_restart };

enum class Importance : std::uint8_t { high, medium, low };

// Which values are allowed beyond those that the type can hold. Every kind is checked by
// ConfigKey::parse and described by describe_rule.
struct Rule {
  enum class Kind : std::uint8_t {
    any,
    integer_range,         // min, max
    decimal_range,         // 0 to max_decimal
    one_of,                // words
    one_of_ignoring_case,  // words
    list,                  // of anything; no duplicates, no empty entries
    nonempty_list,         // the same, and at least one entry
    list_of,               // entries out of words
    nonempty_list_of,      // both
    voters,                // of the quorum: id@host:port
    bootstrap_servers,     // host:port
    nonempty_text,
    gzip_level,          // 1 to 9 or -1
    throttled_replicas,  // "*" or partition:broker pairs
    offset_reset,        // latest, earliest or by_duration:<ISO 8601 duration>
  };
  Kind kind = Kind::any;
  std::int64_t min = INT64_MIN;
  std::int64_t max = INT64_MAX;
  double max_decimal = 0;
  std::string_view words;  // separated by ", "
};

// A broker key that a topic or group key falls back to; its value times `factor`, in our key's
// unit.
struct Synonym {
  std::string_view broker_key;
  std::int64_t factor = 1;
};
// At most three of them, in the order in which they are tried; unused ones have no name.
using Synonyms = std::array<Synonym, 3>;

// A value after parsing. Null where the key has no value at all.
using List = std::vector<std::string>;
using Value = std::variant<std::monostate, bool, std::int64_t, double, std::string, List>;

// One entry of the table. Lives for the whole process; all text is static.
struct ConfigKey {
  std::string_view name;
  Scope scope = Scope::broker;
  Type type = Type::string;
  Importance importance = Importance::medium;
  Update update = Update::read_only;
  Effect effect = Effect::none_yet;
  bool internal = false;  // shown only when set
  bool required = false;  // has no default and must be set
  // Canonical text, or null (data() is nullptr) for a key that has no value unless set.
  std::string_view fallback;
  Rule rule;
  // Where a topic's or group's value comes from when it is not set; tried in order.
  Synonyms synonyms{};
  std::string_view doc;

  [[nodiscard]] bool sensitive() const { return type == Type::password || type == Type::unknown; }
  [[nodiscard]] std::optional<std::string_view> default_text() const {
    if (fallback.data() == nullptr) return std::nullopt;
    return fallback;
  }
  // Reads and checks a value. INVALID_CONFIG with Kafka's wording otherwise.
  [[nodiscard]] Result<Value> parse(std::string_view text) const;
};

// How a value is written: numbers in decimal, lists joined by commas. Nothing for null.
[[nodiscard]] std::optional<std::string> to_text(const Value& value);
// The allowed values as people read them, for example "[1048576,...]"; empty where anything goes.
[[nodiscard]] std::string describe_rule(const Rule& rule);

}  // namespace arus::config
