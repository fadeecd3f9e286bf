# SPDX-License-Identifier: Apache-2.0
# Three Debian packages: comity, the command line, comity-gateway, and python3-comity-engine for those who
# connect an engine, with the debug symbols of the first two apart (docs/adr/0028-package-the-gateway-apart-from-the-command-line.md).
# deploy/package/build makes them; what it generates first lies in ${CMAKE_BINARY_DIR}/package.
include(GNUInstallDirs)
set(package_source ${CMAKE_SOURCE_DIR}/deploy/package)
set(package_made ${CMAKE_BINARY_DIR}/package)
set(CMAKE_SKIP_INSTALL_ALL_DEPENDENCY ON)  # tests are not for installing
set(CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
  OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)

# What only a package needs: not part of `cmake --install`.
function(comity_package_file component destination)
  install(FILES ${ARGN} DESTINATION ${destination} COMPONENT ${component} EXCLUDE_FROM_ALL)
endfunction()

foreach(component comity comity-gateway python3-comity-engine)
  comity_package_file(${component} share/doc/${component} ${package_source}/copyright)
  install(DIRECTORY ${package_made}/doc/${component} DESTINATION share/doc
    COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()
install(DIRECTORY ${package_made}/man/comity/ DESTINATION share/man
  COMPONENT comity EXCLUDE_FROM_ALL)
install(DIRECTORY ${package_made}/man/gateway/ DESTINATION share/man
  COMPONENT comity-gateway EXCLUDE_FROM_ALL)
comity_package_file(comity share/bash-completion/completions ${package_made}/completions/bash/comity)
comity_package_file(comity share/zsh/vendor-completions ${package_made}/completions/zsh/_comity)
install(DIRECTORY ${package_made}/python/ DESTINATION lib/python3/dist-packages
  COMPONENT python3-comity-engine EXCLUDE_FROM_ALL)
# The documents name one another by where they are in the tree.
install(DIRECTORY ${CMAKE_SOURCE_DIR}/docs DESTINATION share/doc/comity
  COMPONENT comity EXCLUDE_FROM_ALL PATTERN plan.md EXCLUDE PATTERN man EXCLUDE)
comity_package_file(comity share/doc/comity ${CMAKE_SOURCE_DIR}/README.md ${CMAKE_SOURCE_DIR}/SECURITY.md)

set(systemd ${CMAKE_SOURCE_DIR}/deploy/systemd)
comity_package_file(comity-gateway lib/systemd/system ${systemd}/comityd.service)
install(FILES ${systemd}/comity.sysusers DESTINATION lib/sysusers.d RENAME comity.conf
  COMPONENT comity-gateway EXCLUDE_FROM_ALL)
install(FILES ${systemd}/comity.tmpfiles DESTINATION lib/tmpfiles.d RENAME comity.conf
  COMPONENT comity-gateway EXCLUDE_FROM_ALL)
comity_package_file(comity-gateway /etc/systemd ${systemd}/journald@comity.conf)
comity_package_file(comity-gateway share/doc/comity-gateway/examples
  ${CMAKE_SOURCE_DIR}/deploy/config/comityd.toml ${systemd}/erasure_ledger.conf
  ${CMAKE_SOURCE_DIR}/services/store/schema/postgres/roles.sql
  ${package_source}/monitoring/comity.rules.yaml ${package_source}/monitoring/comity.dashboard.json)
foreach(component comity comity-gateway python3-comity-engine)
  install(FILES ${package_source}/lintian/${component} DESTINATION share/lintian/overrides
    COMPONENT ${component} EXCLUDE_FROM_ALL)
endforeach()

set(CPACK_GENERATOR DEB)
set(CPACK_PACKAGE_NAME comity)
set(CPACK_PACKAGE_VERSION ${PROJECT_VERSION})
set(CPACK_PACKAGING_INSTALL_PREFIX /usr)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS ${CMAKE_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS})
set(CPACK_COMPONENTS_ALL comity comity-gateway python3-comity-engine)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_RELEASE 1)
# CPACK_DEBIAN_PACKAGE_MAINTAINER is said by deploy/package/build: whoever publishes packages answers for them.
foreach(component COMITY COMITY-GATEWAY)
  set(CPACK_DEBIAN_${component}_PACKAGE_SHLIBDEPS ON)
  # Splits the symbols off into ${component}-dbgsym and strips the program.
  set(CPACK_DEBIAN_${component}_DEBUGINFO_PACKAGE ON)
endforeach()
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION ON)
set(CPACK_DEBIAN_COMPRESSION_TYPE xz)
set(CPACK_DEBIAN_COMITY_PACKAGE_NAME comity)
set(CPACK_DEBIAN_COMITY_PACKAGE_SECTION admin)
set(CPACK_DEBIAN_COMITY_DESCRIPTION
  "command line for sharing watchlists between agencies
Comity lets agencies search one another's facial-recognition watchlists under a
signed agreement, without a central database.
.
This package is the command line: for officers, signatories, data protection
officers and auditors at a gateway of their agency, for making keys, and for
verifying exported audit logs without any gateway.")
set(CPACK_DEBIAN_COMITY-GATEWAY_PACKAGE_NAME comity-gateway)
set(CPACK_DEBIAN_COMITY-GATEWAY_PACKAGE_SECTION net)
# The reference BLAS would satisfy the programs, and search many times as slowly.
set(CPACK_DEBIAN_COMITY-GATEWAY_PACKAGE_DEPENDS
  "comity (= ${PROJECT_VERSION}-1), libopenblas0-pthread | libopenblas0, systemd | systemd-standalone-sysusers, systemd | systemd-standalone-tmpfiles")
set(CPACK_DEBIAN_COMITY-GATEWAY_PACKAGE_RECOMMENDS "systemd-timesyncd | time-daemon")
set(CPACK_DEBIAN_COMITY-GATEWAY_PACKAGE_CONTROL_EXTRA ${package_source}/gateway/postinst
  ${package_source}/gateway/prerm ${package_source}/gateway/postrm ${package_source}/gateway/conffiles)
set(CPACK_DEBIAN_COMITY-GATEWAY_DESCRIPTION
  "gateway with which an agency shares watchlists
Comity lets agencies search one another's facial-recognition watchlists under a
signed agreement, without a central database.
.
This package is the gateway, comityd: one for each agency. It decides each
search against the agreement, keeps the agency's lists, and writes the audit
log. It does not start before it is configured.")
set(CPACK_DEBIAN_PYTHON3-COMITY-ENGINE_PACKAGE_NAME python3-comity-engine)
set(CPACK_DEBIAN_PYTHON3-COMITY-ENGINE_PACKAGE_SECTION python)
set(CPACK_DEBIAN_PYTHON3-COMITY-ENGINE_PACKAGE_ARCHITECTURE all)
set(CPACK_DEBIAN_PYTHON3-COMITY-ENGINE_PACKAGE_DEPENDS
  "python3 (>= 3.11), python3-grpcio (>= 1.51), python3-protobuf (>= 3.21)")
set(CPACK_DEBIAN_PYTHON3-COMITY-ENGINE_PACKAGE_CONTROL_EXTRA ${package_source}/engine/postinst
  ${package_source}/engine/prerm)
set(CPACK_DEBIAN_PYTHON3-COMITY-ENGINE_DESCRIPTION
  "client with which a face-recognition engine asks a gateway
Comity lets agencies search one another's facial-recognition watchlists under a
signed agreement, without a central database.
.
This package is the Python module comity_engine: it streams the faces that an
engine has found to the gateway of the own agency, and gives back what the
gateway answers.")
include(CPack)
