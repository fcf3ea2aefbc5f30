#include "protocol/unknown_tags.h"

namespace arus::protocol {

UnknownTags::UnknownTags(const UnknownTags& other)
    : tags_(other.tags_ ? new std::vector<RawTag>(*other.tags_) : nullptr) {}

UnknownTags& UnknownTags::operator=(const UnknownTags& other) {
  if (this != &other) *this = UnknownTags(other);
  return *this;
}

void UnknownTags::add(RawTag tag) {
  if (!tags_) tags_.reset(new std::vector<RawTag>);
  tags_->push_back(std::move(tag));
}

void UnknownTags::Free::operator()(std::vector<RawTag>* tags) const { delete tags; }

}  // namespace arus::protocol
