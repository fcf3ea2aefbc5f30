#include "security/host_address.h"

namespace arus::security {
namespace {

std::string java_form(std::string_view text) {
  const auto address = HostAddress::parse(text);
  return address ? address->to_string() : "(none)";
}

TEST(HostAddress, IsWrittenAsJavaWritesIt) {
  EXPECT_EQ(java_form("10.0.0.1"), "10.0.0.1");
  EXPECT_EQ(java_form("::1"), "0:0:0:0:0:0:0:1");
  EXPECT_EQ(java_form("[::1]"), "0:0:0:0:0:0:0:1");
  EXPECT_EQ(java_form("2001:db8::a:0:1"), "2001:db8:0:0:0:a:0:1");
  EXPECT_EQ(java_form("2001:0DB8:0:0:0:000A:0:1"), "2001:db8:0:0:0:a:0:1");
  EXPECT_EQ(java_form("::ffff:192.168.1.9"), "192.168.1.9");
  EXPECT_EQ(java_form("fe80::1%eth0"), "fe80:0:0:0:0:0:0:1%eth0");
}

TEST(HostAddress, WhatIsNoAddressIsNothing) {
  for (const std::string_view text :
       {"", "*", "localhost", "10.0.0", "10.0.0.256", "1.2.3.4%eth0", "fe80::1%", "::g", "[::1"}) {
    EXPECT_EQ(java_form(text), "(none)") << text;
  }
  EXPECT_EQ(java_form(std::string_view("1.2.3.4\0x", 9)), "(none)");
}

TEST(HostAddress, FormsOfOneAddressAreEqual) {
  EXPECT_EQ(HostAddress::parse("::ffff:1.2.3.4"), HostAddress::parse("1.2.3.4"));
  EXPECT_NE(HostAddress::parse("fe80::1%eth0"), HostAddress::parse("fe80::1%eth1"));
  EXPECT_NE(HostAddress::parse("::1"), HostAddress::parse("127.0.0.1"));
}

}  // namespace
}  // namespace arus::security
