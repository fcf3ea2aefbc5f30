// Carries out what checking a log directory proposed. Nothing is destroyed: what is taken away gets
// another name.
#pragma once

#include <string>

#include "base/result.h"
#include "env/file.h"
#include "storage/verify.h"

namespace arus::storage {

// One repair in the directory `root`, whose `.lock` the caller holds; what it changed is on stable
// storage afterwards. Each may be done again after a crash in its middle. Blocking.
[[nodiscard]] Result<> apply_repair(env::FileSystem& files, const std::string& root,
                                    const Repair& repair);

}  // namespace arus::storage
