#include "env/real/asio.h"
// After the configuration above.
#include <boost/asio/impl/src.hpp>
