// Carries the precompiled header; see cmake/layer.cmake.
