/** Media types: those that are JSON, those of files, and those that arrive piece by piece. */

/** `application/json`, perhaps with parameters. */
export const plainJson = /^application\/json(?: *;.*)?$/i;

/** JSON of another type, as `json()` takes it: `application/merge-patch+json`. */
export const otherJson =
  /^application\/[\w.!#$&^-]+\+json(?: *; *[\w.-]+=(?:[\w./:-]+|"[\w ./:-]*"))*$/i;

export const anything = /^(?:\*\/\*|application\/\*)$/;

export const xmlTypes = /^(?:text|application)\/(?:[\w.!#$&^-]+\+)?xml(?:;|$)/i;

/** Types that are never text. */
export const binary = new RegExp(
  '^(?:(?:image|audio|video|font)/.+|application/(?:octet-stream|pdf|cbor|msword|' +
    'vnd\\.(?:ms-excel|openxmlformats-.+)|(?:x-)?(?:g?zip|zip-compressed|tar|7z-compressed)))(?:;|$)',
  'i',
);

/** Bodies whose parts are of use before the end. */
export const streamed =
  /^(?:multipart\/|text\/event-stream|.*\b(?:ndjson|jsonl|json-seq|stream\+json)\b)/i;

/** Types whose values are texts also where a schema calls them the content of a string. */
export const textual = /^(?:text\/|application\/(?:[\w.!#$&^-]+\+)?(?:json|xml)\b)/i;
