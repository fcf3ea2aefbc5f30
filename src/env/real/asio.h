// What the real environment takes of Boost.Asio. Only env/real/*.cc include this; Asio's own
// functions are compiled once, in asio.cc.
#pragma once

#define BOOST_ASIO_SEPARATE_COMPILATION
#define BOOST_ASIO_NO_DEPRECATED
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/signal_set.hpp>

namespace arus::env {
namespace asio = boost::asio;
}  // namespace arus::env
