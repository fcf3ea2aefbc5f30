# Flags that every target shares. Warnings are errors; assertions stay on in every build.
add_compile_options(
  -Wall -Wextra -Wpedantic -Werror -Wshadow -Wnon-virtual-dtor -Wold-style-cast -Wcast-qual
  -Wunused -Woverloaded-virtual -Wconversion -Wno-sign-conversion -Wimplicit-fallthrough
  -Wextra-semi -Wno-missing-field-initializers -Wno-missing-designated-field-initializers
  -fno-omit-frame-pointer -fdata-sections -ffunction-sections)
add_link_options(-fuse-ld=lld-19 -Wl,--gc-sections)

set(CMAKE_CXX_FLAGS_RELEASE "-O2")
set(CMAKE_CXX_FLAGS_DEBUG "-O0 -g")
set(CMAKE_CXX_FLAGS_SANITIZE "-O1 -g1")
set(CMAKE_EXE_LINKER_FLAGS_RELEASE "-Wl,--icf=all -Wl,-O1")

if(ARUS_SANITIZE)
  add_compile_options(-fsanitize=${ARUS_SANITIZE} -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${ARUS_SANITIZE})
  if(ARUS_SANITIZE MATCHES "undefined")
    # libstdc++ 12 is not built for these two.
    add_compile_options(-fno-sanitize=vptr,function)
  endif()
  if(ARUS_FUZZ)
    add_compile_options(-fsanitize=fuzzer-no-link)
  endif()
endif()

# Boost is used header-only; Asio must not spread its own symbols.
add_compile_definitions(
  $<$<NOT:$<CONFIG:Debug>>:BOOST_ASIO_DISABLE_ERROR_LOCATION>
  _FILE_OFFSET_BITS=64)
