import type { CheckedDocument, IndexedDocument } from '../../index/document.ts'

/** What a passage's embedding is made from: the method embeds "title text". */
export function passageText({ title, text }: { title: string | null; text: string }): string {
  return title === null ? text : `${title} ${text}`
}

/** A document with one passage: all of its text. */
export function asOnePassage(document: CheckedDocument, vector: Float32Array): IndexedDocument {
  return { document, passages: [{ span: { start: 0, end: document.text.length }, vector }] }
}
