// simdjson's DOM behind a C interface: one parser, one document at a time, values as small handles into it.
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct csimdjson_parser csimdjson_parser;

/// A value of the parser's current document; dangling once the parser parses the next one.
typedef struct {
  const void *document;
  size_t index;
} csimdjson_value;

/// A position among the elements of an array or the fields of an object.
typedef struct {
  csimdjson_value next;
  csimdjson_value end;
} csimdjson_cursor;

typedef enum {
  CSIMDJSON_OK = 0,
  CSIMDJSON_EMPTY,
  CSIMDJSON_TOO_LONG,
  CSIMDJSON_NO_MEMORY,
  CSIMDJSON_TOO_DEEP,
  CSIMDJSON_BAD_STRING,
  CSIMDJSON_BAD_LITERAL,
  CSIMDJSON_BAD_NUMBER,
  CSIMDJSON_NOT_UTF8,
  CSIMDJSON_SYNTAX
} csimdjson_status;

typedef enum {
  CSIMDJSON_NULL,
  CSIMDJSON_BOOL,
  CSIMDJSON_NUMBER,
  CSIMDJSON_STRING,
  CSIMDJSON_ARRAY,
  CSIMDJSON_OBJECT
} csimdjson_kind;

/// A parser that takes documents of at most `maximum_length` bytes, nested at most `maximum_depth` deep.
/// NULL when memory is out.
csimdjson_parser *csimdjson_parser_create(size_t maximum_length, size_t maximum_depth);
void csimdjson_parser_destroy(csimdjson_parser *parser);

/// Room for `length` bytes of text, which the caller fills before `csimdjson_parse`; keeps nothing of earlier text.
/// NULL when `length` passes the parser's limit or memory is out.
char *csimdjson_reserve(csimdjson_parser *parser, size_t length);

/// Parses the first `length` bytes of the reserved room, all of them one JSON value.
csimdjson_status csimdjson_parse(csimdjson_parser *parser, size_t length, csimdjson_value *root);

csimdjson_kind csimdjson_value_kind(csimdjson_value value);
/// The UTF-8 bytes of a string, escapes resolved; false for other kinds.
bool csimdjson_value_string(csimdjson_value value, const char **bytes, size_t *length);
/// A number as a double; false for other kinds.
bool csimdjson_value_double(csimdjson_value value, double *number);
/// A number that is written as a whole one and fits; false for others and other kinds.
bool csimdjson_value_integer(csimdjson_value value, int64_t *number);
/// True or false; false for other kinds.
bool csimdjson_value_bool(csimdjson_value value, bool *truth);

/// Stands before the first element (field) of an array (object); false for other kinds.
bool csimdjson_open(csimdjson_value value, csimdjson_cursor *cursor);
bool csimdjson_next_element(csimdjson_cursor *cursor, csimdjson_value *value);
bool csimdjson_next_field(csimdjson_cursor *cursor, const char **key, size_t *key_length, csimdjson_value *value);

/// The number of elements of an array; 0 for other kinds.
size_t csimdjson_element_count(csimdjson_value array);

/// Writes the numbers of `array` to `numbers`, which has room for `csimdjson_element_count`, and returns how many it
/// wrote: fewer than the count when the element at that place is not a number or not finite as a float.
size_t csimdjson_floats(csimdjson_value array, float *numbers);

/// The bytes of the object or array that starts at `bytes[0]`, its closing bracket included; 0 when it is not closed
/// within `length` bytes. Looks only at brackets and strings: what lies between them is for the parser to judge.
size_t csimdjson_bracketed_length(const char *bytes, size_t length);

#ifdef __cplusplus
}
#endif
