// A message without its type, for the catalog: for the generated sources.
#pragma once

#include <cstdint>
#include <memory>
#include <utility>

#include "base/bytes.h"
#include "base/result.h"
#include "protocol/print.h"
#include "protocol/wire.h"

namespace arus::protocol {

// What the catalog asks of a message, so that what it does with the answers is compiled once.
class AnyMessage {
 public:
  AnyMessage() = default;
  virtual ~AnyMessage() = default;
  AnyMessage(const AnyMessage&) = delete;
  AnyMessage& operator=(const AnyMessage&) = delete;

  [[nodiscard]] virtual Result<> check(std::int16_t version) const = 0;
  [[nodiscard]] virtual std::size_t encoded_size(std::int16_t version) const = 0;
  virtual void encode(Writer& out, std::int16_t version) const = 0;
  virtual void print(MessagePrinter& out) const = 0;
  // `other` is of the same type.
  [[nodiscard]] virtual bool equals(const AnyMessage& other) const = 0;
};

template <class Message>
class TypedMessage final : public AnyMessage {
 public:
  explicit TypedMessage(Message&& message) : message_(std::move(message)) {}

  [[nodiscard]] Result<> check(std::int16_t version) const override {
    return message_.check(version);
  }
  [[nodiscard]] std::size_t encoded_size(std::int16_t version) const override {
    return message_.encoded_size(version);
  }
  void encode(Writer& out, std::int16_t version) const override { message_.encode(out, version); }
  void print(MessagePrinter& out) const override { message_.print(out); }
  [[nodiscard]] bool equals(const AnyMessage& other) const override {
    return message_ == static_cast<const TypedMessage&>(other).message_;
  }

 private:
  Message message_;
};

template <class Message>
Result<std::unique_ptr<AnyMessage>> decode_any(const Slice& body, std::int16_t version) {
  Result<Message> message = Message::decode(body, version);
  if (!message) return fail(std::move(message).error());
  // Not make_unique: a unique_ptr of each message's own is half of what this costs to compile.
  return std::unique_ptr<AnyMessage>(new TypedMessage<Message>(std::move(*message)));
}

}  // namespace arus::protocol
