# cmake -DPROGRAM=... -DOUTPUT=... -P write_output.cmake: writes what PROGRAM prints to OUTPUT, and leaves OUTPUT alone
# where it says that already, so that nothing is compiled again.
execute_process(COMMAND "${PROGRAM}" OUTPUT_VARIABLE text COMMAND_ERROR_IS_FATAL ANY)
set(before "")
if(EXISTS "${OUTPUT}")
  file(READ "${OUTPUT}" before)
endif()
if(NOT text STREQUAL before)
  file(WRITE "${OUTPUT}" "${text}")
endif()
