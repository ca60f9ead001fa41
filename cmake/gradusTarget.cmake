# What a target needs that uses Gradus: for the installed package (gradusConfig.cmake) and for the
# source (CMakeLists.txt).
include(CMakeFindDependencyMacro)

# Adds to TARGET: the folder of gradus/gradus.h, C++20, and what libgradus is linked with.
macro(gradus_requirements target include_folder)
  if(NOT CMAKE_CXX_COMPILER_LOADED)
    message(FATAL_ERROR "gradus is a C++ library: enable the language, project(NAME LANGUAGES CXX)")
  endif()
  find_dependency(OpenMP COMPONENTS CXX)
  find_dependency(fmt)
  find_dependency(nlohmann_json)
  # These have no CMake package everywhere. OpenBLAS: where there are several builds, the one
  # that shares OpenMP's threads.
  find_library(GRADUS_OPENBLAS openblas PATH_SUFFIXES openblas-openmp)
  find_library(GRADUS_UTF8PROC utf8proc)
  find_library(GRADUS_ZLIB z)
  find_library(GRADUS_ZSTD zstd)
  foreach(gradus_needed GRADUS_OPENBLAS GRADUS_UTF8PROC GRADUS_ZLIB GRADUS_ZSTD)
    if(NOT ${gradus_needed})
      message(FATAL_ERROR "gradus: a library that it is linked with was not found; install it "
        "(Debian: libopenblas-openmp-dev, libutf8proc-dev, zlib1g-dev, libzstd-dev) or set ${gradus_needed} to its path")
    endif()
  endforeach()
  set_property(TARGET ${target} APPEND PROPERTY INTERFACE_INCLUDE_DIRECTORIES "${include_folder}")
  set_property(TARGET ${target} APPEND PROPERTY INTERFACE_COMPILE_FEATURES cxx_std_20)
  set_property(TARGET ${target} APPEND PROPERTY INTERFACE_LINK_LIBRARIES
    OpenMP::OpenMP_CXX fmt::fmt nlohmann_json::nlohmann_json "${GRADUS_UTF8PROC}"
    "${GRADUS_ZLIB}" "${GRADUS_ZSTD}" "${GRADUS_OPENBLAS}" ${CMAKE_DL_LIBS})
endmacro()
