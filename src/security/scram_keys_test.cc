#include "security/scram_keys.h"

#include "base/base64.h"

namespace arus::security {
namespace {

TEST(ScramKeys, TheExampleOfRfc7677Verifies) {
  const auto salt = decode_base64("W22ZaJ0SNY7soEsUEjb6gQ==");
  ASSERT_TRUE(salt);
  const Bytes salted = salt_password(ScramMechanism::sha_256, "pencil", *salt, 4096);
  const ScramKeys keys = derive_scram_keys(ScramMechanism::sha_256, salted);
  EXPECT_EQ(encode_base64(keys.stored_key), "WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=");
  EXPECT_EQ(encode_base64(keys.server_key), "wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=");
}

TEST(ScramKeys, MechanismsHaveTheNamesAndNumbersOfTheProtocol) {
  EXPECT_EQ(parse_scram_mechanism("SCRAM-SHA-512"), ScramMechanism::sha_512);
  EXPECT_EQ(parse_scram_mechanism("PLAIN"), ScramMechanism::unknown);
  EXPECT_EQ(scram_mechanism_of(1), ScramMechanism::sha_256);
  EXPECT_EQ(scram_mechanism_of(3), ScramMechanism::unknown);
}

}  // namespace
}  // namespace arus::security
