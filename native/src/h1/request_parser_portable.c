#include "h1/scan_portable.h"

#define REQUEST_PARSE gn_h1_request_parse_portable
#include "h1/request_parser_width.h"
