#include "security/host_address.h"

#include <arpa/inet.h>
#include <fmt/core.h>

#include <algorithm>

#include "base/endian.h"

namespace arus::security {
namespace {

constexpr std::array<std::uint8_t, 12> mapped_prefix{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

}  // namespace

std::optional<HostAddress> HostAddress::parse(std::string_view text) {
  if (text.size() >= 2 && text.front() == '[' && text.back() == ']') {
    text = text.substr(1, text.size() - 2);
  }
  HostAddress address;
  if (const std::size_t percent = text.find('%'); percent != std::string_view::npos) {
    address.scope_ = text.substr(percent + 1);
    text = text.substr(0, percent);
    if (address.scope_.empty() || !text.contains(':')) return std::nullopt;
  }
  if (text.contains('\0')) return std::nullopt;
  const std::string terminated(text);
  if (inet_pton(AF_INET6, terminated.c_str(), address.bytes_.data()) == 1) return address;
  if (!address.scope_.empty()) return std::nullopt;
  std::ranges::copy(mapped_prefix, address.bytes_.begin());
  if (inet_pton(AF_INET, terminated.c_str(), address.bytes_.data() + 12) == 1) return address;
  return std::nullopt;
}

bool HostAddress::is_ipv4() const {
  return std::equal(mapped_prefix.begin(), mapped_prefix.end(), bytes_.begin());
}

std::string HostAddress::to_string() const {
  if (is_ipv4()) {
    return fmt::format("{}.{}.{}.{}", bytes_[12], bytes_[13], bytes_[14], bytes_[15]);
  }
  std::string text;
  for (std::size_t i = 0; i < 16; i += 2) {
    if (i > 0) text += ':';
    text += fmt::format("{:x}", load_big<std::uint16_t>(&bytes_[i]));
  }
  if (!scope_.empty()) text += "%" + scope_;
  return text;
}

}  // namespace arus::security
