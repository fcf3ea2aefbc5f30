// Values as Java prints them, where scripts compare what programs print.
#pragma once

#include <string>

namespace arus::cli {

// Double.toString: "1024.0", "1.0E7", "5.0E-4".
std::string java_double(double value);
std::string java_float(float value);

}  // namespace arus::cli
