// The features of a text as the page of ConceptDetection describes them: the example for JavaScript, and what the
// cross-check compares with.
//
//     node concept_features.mjs BITS FILE…    // prints the ids of each note of JSON lines, as concept-features does

import { readFileSync } from "node:fs";

const plain = { ß: "ss", æ: "ae", œ: "oe", ø: "o", đ: "d", ł: "l", ı: "i" };

// What a character becomes; null where it is no part of a word.
function folded(character) {
  if (!/[\p{L}\p{M}\p{N}]/u.test(character)) return null;
  const decomposed = character.toLowerCase().normalize("NFD").replace(/[\u0300-\u036f]/g, "");
  return [...decomposed].map((c) => plain[c] ?? c).join("");
}

function words(text) {
  const found = [];
  let word = "";
  for (const character of [...text, " "]) {
    const part = folded(character);
    if (part === null) {
      if (word) found.push(word);
      word = "";
    } else {
      word += part;
    }
  }
  return found;
}

// For each word of the text its features.
export function features(text, bits = 16) {
  const encoder = new TextEncoder();
  function row(kind, feature) {
    let hash = 2166136261;
    for (const byte of [kind, ...encoder.encode(feature)]) hash = Math.imul(hash ^ byte, 16777619) >>> 0;
    return (((hash >>> bits) ^ hash) & ((1 << bits) - 1)) + 1;
  }

  const found = [];
  let previous = null;
  for (const word of words(text)) {
    const ids = [row(1, word)];
    if (previous !== null) ids.push(row(2, `${previous} ${word}`));
    // Code points, not UTF-16 units.
    const marked = [...`<${word}>`];
    for (let start = 0; start < marked.length; start++) {
      for (const length of [3, 4, 5]) {
        if (start + length <= marked.length) ids.push(row(3, marked.slice(start, start + length).join("")));
      }
    }
    found.push(ids.slice(0, 128));
    previous = word;
  }
  return found;
}

const [bits, ...paths] = process.argv.slice(2);
for (const path of paths) {
  for (const line of readFileSync(path, "utf8").split("\n").filter(Boolean)) {
    console.log(features(JSON.parse(line).text, Number(bits)).flat().join(" "));
  }
}
