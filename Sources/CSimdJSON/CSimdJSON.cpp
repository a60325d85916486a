// The C interface over simdjson's DOM. No exception leaves this file; every failure is a status or a null.
#include "CSimdJSON.h"

#include <simdjson.h>

#include <cmath>
#include <cstring>
#include <memory>
#include <new>
#include <type_traits>

namespace dom = simdjson::dom;

struct csimdjson_parser {
  dom::parser parser;
  dom::document document;
  std::unique_ptr<char[]> text;
  size_t capacity = 0;
  size_t maximum_length;
  size_t maximum_depth;

  csimdjson_parser(size_t length, size_t depth) : maximum_length(length), maximum_depth(depth) {}
};

// A handle and simdjson's own references are the same two words: a document and a place on its tape.
template <typename To, typename From> static To reinterpret(const From &from) {
  static_assert(sizeof(To) == sizeof(From));
  static_assert(std::is_trivially_copyable_v<To> && std::is_trivially_copyable_v<From>);
  To to;
  std::memcpy(static_cast<void *>(&to), &from, sizeof(To));
  return to;
}

static csimdjson_status status_of(simdjson::error_code error) {
  switch (error) {
  case simdjson::SUCCESS: return CSIMDJSON_OK;
  case simdjson::EMPTY: return CSIMDJSON_EMPTY;
  case simdjson::CAPACITY: return CSIMDJSON_TOO_LONG;
  case simdjson::MEMALLOC: return CSIMDJSON_NO_MEMORY;
  case simdjson::DEPTH_ERROR: return CSIMDJSON_TOO_DEEP;
  case simdjson::STRING_ERROR:
  case simdjson::UNESCAPED_CHARS:
  case simdjson::UNCLOSED_STRING: return CSIMDJSON_BAD_STRING;
  case simdjson::T_ATOM_ERROR:
  case simdjson::F_ATOM_ERROR:
  case simdjson::N_ATOM_ERROR: return CSIMDJSON_BAD_LITERAL;
  case simdjson::NUMBER_ERROR:
  case simdjson::NUMBER_OUT_OF_RANGE: return CSIMDJSON_BAD_NUMBER;
  case simdjson::UTF8_ERROR: return CSIMDJSON_NOT_UTF8;
  default: return CSIMDJSON_SYNTAX;
  }
}

extern "C" {

csimdjson_parser *csimdjson_parser_create(size_t maximum_length, size_t maximum_depth) {
  return new (std::nothrow) csimdjson_parser(maximum_length, maximum_depth);
}

void csimdjson_parser_destroy(csimdjson_parser *parser) { delete parser; }

char *csimdjson_reserve(csimdjson_parser *parser, size_t length) {
  if (length > parser->maximum_length) return nullptr;
  if (length > parser->capacity || !parser->text) {
    size_t capacity = parser->capacity < 4096 ? 4096 : parser->capacity;
    while (capacity < length) capacity *= 2;
    parser->capacity = 0;
    parser->text.reset(new (std::nothrow) char[capacity + simdjson::SIMDJSON_PADDING]);
    if (!parser->text) return nullptr;
    // simdjson grows to exactly what it is given; growing it here, with the text, grows it seldom.
    if (parser->document.allocate(capacity) != simdjson::SUCCESS) return nullptr;
    if (parser->parser.allocate(capacity, parser->maximum_depth) != simdjson::SUCCESS) return nullptr;
    parser->capacity = capacity;
  }
  return parser->text.get();
}

csimdjson_status csimdjson_parse(csimdjson_parser *parser, size_t length, csimdjson_value *root) {
  if (!parser->text || length > parser->capacity) return CSIMDJSON_TOO_LONG;
  std::memset(parser->text.get() + length, ' ', simdjson::SIMDJSON_PADDING);
  dom::element element;
  auto error = parser->parser.parse_into_document(parser->document, parser->text.get(), length, false).get(element);
  if (error) return status_of(error);
  *root = reinterpret<csimdjson_value>(element);
  return CSIMDJSON_OK;
}

csimdjson_kind csimdjson_value_kind(csimdjson_value value) {
  switch (reinterpret<dom::element>(value).type()) {
  case dom::element_type::ARRAY: return CSIMDJSON_ARRAY;
  case dom::element_type::OBJECT: return CSIMDJSON_OBJECT;
  case dom::element_type::STRING: return CSIMDJSON_STRING;
  case dom::element_type::BOOL: return CSIMDJSON_BOOL;
  case dom::element_type::NULL_VALUE: return CSIMDJSON_NULL;
  default: return CSIMDJSON_NUMBER;
  }
}

bool csimdjson_value_string(csimdjson_value value, const char **bytes, size_t *length) {
  std::string_view view;
  if (reinterpret<dom::element>(value).get_string().get(view)) return false;
  *bytes = view.data();
  *length = view.size();
  return true;
}

bool csimdjson_value_double(csimdjson_value value, double *number) {
  return !reinterpret<dom::element>(value).get_double().get(*number);
}

bool csimdjson_value_integer(csimdjson_value value, int64_t *number) {
  return !reinterpret<dom::element>(value).get_int64().get(*number);
}

bool csimdjson_value_bool(csimdjson_value value, bool *truth) {
  return !reinterpret<dom::element>(value).get_bool().get(*truth);
}

bool csimdjson_open(csimdjson_value value, csimdjson_cursor *cursor) {
  dom::element element = reinterpret<dom::element>(value);
  dom::array array;
  if (!element.get_array().get(array)) {
    cursor->next = reinterpret<csimdjson_value>(array.begin());
    cursor->end = reinterpret<csimdjson_value>(array.end());
    return true;
  }
  dom::object object;
  if (!element.get_object().get(object)) {
    cursor->next = reinterpret<csimdjson_value>(object.begin());
    cursor->end = reinterpret<csimdjson_value>(object.end());
    return true;
  }
  return false;
}

bool csimdjson_next_element(csimdjson_cursor *cursor, csimdjson_value *value) {
  if (cursor->next.index == cursor->end.index) return false;
  auto iterator = reinterpret<dom::array::iterator>(cursor->next);
  *value = reinterpret<csimdjson_value>(*iterator);
  ++iterator;
  cursor->next = reinterpret<csimdjson_value>(iterator);
  return true;
}

bool csimdjson_next_field(csimdjson_cursor *cursor, const char **key, size_t *key_length, csimdjson_value *value) {
  if (cursor->next.index == cursor->end.index) return false;
  auto iterator = reinterpret<dom::object::iterator>(cursor->next);
  std::string_view view = iterator.key();
  *key = view.data();
  *key_length = view.size();
  *value = reinterpret<csimdjson_value>(iterator.value());
  ++iterator;
  cursor->next = reinterpret<csimdjson_value>(iterator);
  return true;
}

size_t csimdjson_element_count(csimdjson_value value) {
  dom::array array;
  if (reinterpret<dom::element>(value).get_array().get(array)) return 0;
  // simdjson keeps the count in 24 bits, saturated.
  size_t count = array.size();
  if (count < 0xFFFFFF) return count;
  count = 0;
  for (auto iterator = array.begin(); iterator != array.end(); ++iterator) count++;
  return count;
}

size_t csimdjson_floats(csimdjson_value value, float *numbers) {
  dom::array array;
  if (reinterpret<dom::element>(value).get_array().get(array)) return 0;
  size_t written = 0;
  for (dom::element element : array) {
    double number;
    if (element.get_double().get(number)) break;
    float narrow = static_cast<float>(number);
    if (!std::isfinite(narrow)) break;
    numbers[written++] = narrow;
  }
  return written;
}

size_t csimdjson_bracketed_length(const char *bytes, size_t length) {
  constexpr size_t block = 64;
  size_t depth = 0;
  size_t position = 0;
  bool in_string = false;
  while (position < length) {
    if (!in_string && length - position >= block) {
      // Long runs of numbers hold none of these; the compiler turns this loop into a few vector comparisons.
      unsigned char interesting = 0;
      for (size_t i = 0; i < block; i++) {
        unsigned char c = static_cast<unsigned char>(bytes[position + i]);
        // '[' and '{' differ in one bit, as do ']' and '}'.
        interesting |= (c == '"') | ((c & 0xDF) == '[') | ((c & 0xDF) == ']');
      }
      if (!interesting) {
        position += block;
        continue;
      }
    }
    size_t end = length - position < block ? length : position + block;
    while (position < end) {
      char c = bytes[position++];
      if (in_string) {
        if (c == '\\') {
          position++;  // whatever is escaped, a quote above all
        } else if (c == '"') {
          in_string = false;
        }
      } else if (c == '"') {
        in_string = true;
      } else if (c == '{' || c == '[') {
        depth++;
      } else if (c == '}' || c == ']') {
        if (depth == 0) return 0;
        if (--depth == 0) return position;
      }
    }
  }
  return 0;
}

}  // extern "C"
