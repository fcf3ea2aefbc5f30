#include "storage/open_files.h"

#include <utility>

namespace arus::storage {

OpenFile::~OpenFile() {
  if (files_ != nullptr) files_->remove(*this);
}

std::shared_ptr<env::File> OpenFiles::use(OpenFile& place) {
  if (place.files_ == nullptr) return nullptr;
  if (newest_ != &place) {
    unlink(place);
    push_newest(place);
  }
  return place.file_;
}

void OpenFiles::put(OpenFile& place, std::shared_ptr<env::File> file) {
  if (place.files_ != nullptr) {
    place.file_ = std::move(file);
    static_cast<void>(use(place));
    return;
  }
  if (limit_ == 0) return;
  if (size_ == limit_) remove(*oldest_);
  place.file_ = std::move(file);
  place.files_ = this;
  push_newest(place);
  ++size_;
}

void OpenFiles::remove(OpenFile& place) {
  if (place.files_ == nullptr) return;
  unlink(place);
  place.files_ = nullptr;
  place.file_ = nullptr;
  --size_;
}

void OpenFiles::unlink(OpenFile& place) {
  (place.newer_ != nullptr ? place.newer_->older_ : newest_) = place.older_;
  (place.older_ != nullptr ? place.older_->newer_ : oldest_) = place.newer_;
  place.newer_ = nullptr;
  place.older_ = nullptr;
}

void OpenFiles::push_newest(OpenFile& place) {
  place.older_ = newest_;
  if (newest_ != nullptr) newest_->newer_ = &place;
  newest_ = &place;
  if (oldest_ == nullptr) oldest_ = &place;
}

}  // namespace arus::storage
