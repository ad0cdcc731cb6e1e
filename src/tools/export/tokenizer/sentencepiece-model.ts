import protobuf from 'protobufjs'

/**
 * The part of SentencePiece's protobuf format (sentencepiece_model.proto) that decides how a text is cut. Field
 * numbers and defaults are those of its definition.
 */
const SCHEMA = `
  syntax = "proto2";
  message Model { repeated Piece pieces = 1; optional Trainer trainer = 2; optional Normalizer normalizer = 3; }
  message Piece { optional string piece = 1; optional float score = 2; optional int32 type = 3 [default = 1]; }
  message Trainer {
    optional int32 modelType = 3 [default = 1];
    optional bool treatWhitespaceAsSuffix = 24;
    optional bool byteFallback = 35;
    optional string bosPiece = 46 [default = "<s>"];
    optional string eosPiece = 47 [default = "</s>"];
  }
  message Normalizer {
    optional string name = 1;
    optional bytes precompiledCharsmap = 2;
    optional bool addDummyPrefix = 3 [default = true];
    optional bool removeExtraWhitespaces = 4 [default = true];
    optional bool escapeWhitespaces = 5 [default = true];
  }`

/** ModelProto.SentencePiece.Type */
export const PIECE_TYPE = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5, byte: 6 } as const

/** TrainerSpec.ModelType */
export const MODEL_TYPES = ['', 'Unigram', 'BPE', 'word', 'char']

/** A piece's id is its place in the list. */
export interface Piece {
  piece: string
  score: number
  type: number
}

export interface SentencePieceModel {
  pieces: Piece[]
  trainer: {
    modelType: number
    treatWhitespaceAsSuffix: boolean
    byteFallback: boolean
    bosPiece: string
    eosPiece: string
  }
  normalizer: {
    name: string
    precompiledCharsmap: Uint8Array
    addDummyPrefix: boolean
    removeExtraWhitespaces: boolean
    escapeWhitespaces: boolean
  }
}

const ModelType = protobuf.parse(SCHEMA, { keepCase: true }).root.lookupType('Model')

/** Reads a tokenizer.model; undefined for bytes that are not one, such as Llama 3's list of Tiktoken ranks. */
export function parseSentencePiece(bytes: Uint8Array): SentencePieceModel | undefined {
  let model: SentencePieceModel
  try {
    const message = ModelType.decode(bytes)
    // What a file leaves out has the default of the definition.
    const whole = { trainer: {}, normalizer: {}, ...ModelType.toObject(message) }
    model = ModelType.toObject(ModelType.fromObject(whole), { defaults: true }) as SentencePieceModel
  } catch {
    return undefined
  }
  return model.pieces.length === 0 || model.pieces.some(({ piece }) => piece === '') ? undefined : model
}
