#include "config/listener.h"

namespace arus::config {
namespace {

const ProtocolMap protocols{{"PLAINTEXT", SecurityProtocol::plaintext},
                            {"INTERNAL", SecurityProtocol::sasl_ssl}};

TEST(Listener, AddressesAreReadInAllForms) {
  const auto listeners = parse_listeners(
      "PLAINTEXT://:9092, internal://broker-1.example.com:19092,PLAINTEXT://[::1]:0", protocols);
  ASSERT_TRUE(listeners) << listeners.error().message;
  ASSERT_EQ(listeners->size(), 3U);
  EXPECT_EQ((*listeners)[0], (ListenerAddress{"PLAINTEXT", "", 9092}));
  EXPECT_EQ((*listeners)[1], (ListenerAddress{"INTERNAL", "broker-1.example.com", 19092,
                                              SecurityProtocol::sasl_ssl}));
  EXPECT_EQ((*listeners)[2], (ListenerAddress{"PLAINTEXT", "::1", 0}));
  EXPECT_EQ((*listeners)[2].to_string(), "PLAINTEXT://[::1]:0");
  EXPECT_EQ((*listeners)[0].to_string(), "PLAINTEXT://:9092");
}

TEST(Listener, WhatIsNoAddressIsRefused) {
  for (const char* text : {"localhost:9092", "://:9092", "PLAINTEXT://localhost",
                           "PLAINTEXT://h:70000", "PLAINTEXT://h:-1", "PLAINTEXT://h:9x",
                           "PLAINTEXT://::1:9092", "PLAINTEXT://a/b:1", "UNKNOWN://h:1"}) {
    const auto listener = parse_listener(text, protocols);
    ASSERT_FALSE(listener) << text;
    EXPECT_EQ(listener.error().code, ErrorCode::invalid_config) << text;
  }
}

TEST(Listener, TheProtocolMapIsReadInAnyCase) {
  const auto map = parse_protocol_map("a:PLAINTEXT,B:sasl_ssl");
  ASSERT_TRUE(map);
  EXPECT_EQ(*map,
            (ProtocolMap{{"A", SecurityProtocol::plaintext}, {"B", SecurityProtocol::sasl_ssl}}));
  for (const char* text : {"a", ":SSL", "a:TLS", "a:SSL,A:SSL"}) {
    EXPECT_FALSE(parse_protocol_map(text)) << text;
  }
}

TEST(HostPort, IsSplitAtTheLastColon) {
  EXPECT_EQ(*parse_host_port("[fe80::1%eth0]:80"), (HostPort{"fe80::1%eth0", 80}));
  EXPECT_EQ(*parse_host_port(":9092"), (HostPort{"", 9092}));
  EXPECT_FALSE(parse_host_port("host"));
  EXPECT_FALSE(parse_host_port(""));
}

}  // namespace
}  // namespace arus::config
