#include "protocol/header.h"

#include "protocol/frame.h"

namespace arus::protocol {
namespace {

TEST(Headers, TheVersionFollowsTheRequest) {
  const ApiInfo& metadata = api_info(ApiKey::metadata);
  EXPECT_EQ(request_header_version(metadata, 8), 1);
  EXPECT_EQ(request_header_version(metadata, 9), 2);
  EXPECT_EQ(response_header_version(metadata, 8), 0);
  EXPECT_EQ(response_header_version(metadata, 9), 1);
  const ApiInfo& handshake = api_info(ApiKey::sasl_handshake);
  EXPECT_EQ(request_header_version(handshake, 1), 1);
  EXPECT_EQ(response_header_version(handshake, 1), 0);
}

TEST(Headers, ApiVersionsAnswersWithTheOldestHeader) {
  const ApiInfo& versions = api_info(ApiKey::api_versions);
  EXPECT_EQ(request_header_version(versions, 4), 2);
  EXPECT_EQ(response_header_version(versions, 4), 0);
}

TEST(Headers, WhatIsWrittenReadsAsTheSame) {
  for (const std::int16_t version : {std::int16_t{8}, std::int16_t{9}}) {
    for (const std::optional<std::string>& client : {std::optional<std::string>("me"), {}}) {
      Writer out;
      write_request_head(out, 3, version, 77, client);
      const std::size_t size = out.size();
      out.u8(0);
      const auto head = read_request_head(out.take_bytes());
      ASSERT_TRUE(head) << head.error().message;
      EXPECT_EQ(head->api_key, 3);
      EXPECT_EQ(head->version, version);
      EXPECT_EQ(head->correlation_id, 77);
      EXPECT_EQ(head->client_id, client);
      EXPECT_EQ(head->size_bytes, size);
    }
  }
}

TEST(Headers, AnUnknownApiIsUnsupported) {
  Writer out;
  out.i16(999);
  out.i16(0);
  out.i32(1);
  out.i16(-1);
  const auto head = read_request_head(out.take_bytes());
  ASSERT_FALSE(head);
  EXPECT_EQ(head.error().code, ErrorCode::unsupported_version);
}

TEST(Headers, DamageIsAnInvalidRequest) {
  const auto fails = [](Bytes bytes) {
    const auto head = read_request_head(bytes);
    return !head && head.error().code == ErrorCode::invalid_request;
  };
  EXPECT_TRUE(fails({}));
  EXPECT_TRUE(fails({0, 3, 0, 9, 0, 0, 0}));
  EXPECT_TRUE(fails({0, 3, 0, 9, 0, 0, 0, 1, 0, 5, 'a'}));      // the client id ends early
  EXPECT_TRUE(fails({0, 3, 0, 9, 0, 0, 0, 1, 0, 1, 0xff}));     // and is not UTF-8
  EXPECT_TRUE(fails({0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xff}));     // no tags
  EXPECT_TRUE(fails({0, 3, 0, 9, 0, 0, 0, 1, 0xff, 0xfe, 0}));  // a length below null
}

TEST(Headers, TheFirstNumbersCanBeReadAlone) {
  const Bytes frame = {0, 18, 0, 99, 0, 0, 0, 5};
  const auto kind = peek_request(frame);
  ASSERT_TRUE(kind);
  EXPECT_EQ(kind->api_key, 18);
  EXPECT_EQ(kind->version, 99);
  EXPECT_EQ(kind->correlation_id, 5);
  EXPECT_FALSE(peek_request(ByteView(frame).first(7)));
}

TEST(Frames, BeginWithTheirLength) {
  const Slice large(Bytes(5000, 1));
  Writer out;
  out.i32(7);
  out.share(large);
  const Chain frame = make_frame(std::move(out));
  const Bytes bytes = flatten(frame);
  ASSERT_EQ(bytes.size(), 4U + 4U + 5000U);
  EXPECT_EQ(load_big<std::int32_t>(bytes.data()), 5004);
  EXPECT_EQ(frame.back().data(), large.data());
}

TEST(Frames, LengthsOutsideTheLimitAreNotBelieved) {
  EXPECT_FALSE(is_frame_length(-1, 100));
  EXPECT_FALSE(is_frame_length(101, 100));
  EXPECT_TRUE(is_frame_length(100, 100));
}

TEST(Apis, AreListedAsKafkaListsThem) {
  EXPECT_EQ(all_apis().size(), 89U);
  int broker = 0;
  int controller = 0;
  std::int16_t last = -1;
  for (const ApiInfo& api : all_apis()) {
    EXPECT_GT(static_cast<std::int16_t>(api.key), last);
    last = static_cast<std::int16_t>(api.key);
    EXPECT_EQ(api_info(last), &api);
    if (api.advertised.empty()) continue;
    broker += api.on_broker ? 1 : 0;
    controller += api.on_controller ? 1 : 0;
  }
  EXPECT_EQ(broker, 75);
  EXPECT_EQ(controller, 41);
  EXPECT_EQ(api_info(4), nullptr);
  EXPECT_EQ(api_info(-1), nullptr);
}

TEST(Apis, TwoRangesAreNotThoseOfTheSchema) {
  const ApiInfo& produce = api_info(ApiKey::produce);
  EXPECT_EQ(produce.versions.min, 3);
  EXPECT_EQ(produce.advertised.min, 0);
  const ApiInfo& init = api_info(ApiKey::init_producer_id);
  EXPECT_EQ(init.versions.max, 6);
  EXPECT_EQ(init.advertised.max, 5);
  EXPECT_TRUE(api_info(ApiKey::push_telemetry).advertised.empty());
}

}  // namespace
}  // namespace arus::protocol
