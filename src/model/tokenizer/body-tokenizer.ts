import { type Encoding, Tokenizer } from 'tokenizers'
import { addedIds, withRoomForAdded } from './added-ids.ts'
import { cutLongWords } from './long-words.ts'
import { type OpenCut, OpenCuts } from './open-cuts.ts'
import { StableCuts } from './stable-cuts.ts'
import { parseTokenizerJson, type TokenizerJson, unusable, withoutSpecials } from './tokenizer-json.ts'

/** A body's first tokens, and whether there were more. */
export interface Body {
  ids: Uint32Array
  truncated: boolean
}

/** UTF-16 units read first for each token wanted; English text has about four a token. */
const CHARS_PER_TOKEN = 6

/**
 * Up to this many texts are tokenised one by one: the library spreads a batch over a pool of its own, where a query
 * would wait for the bulk texts that are there already.
 */
const SINGLES_MAX = 4

/**
 * Tokenises body text: what goes between a prompt's prefix and suffix. Adds no BOS or EOS, and user text never
 * yields a special id. Any string is taken: an empty one has no tokens, and half a surrogate pair becomes U+FFFD, as
 * UTF-8 has no place for it. The work runs on Node's thread pool, in the Rust library the checkpoints were made with.
 */
export class BodyTokenizer {
  /** Id of the token for what the vocabulary lacks; undefined where it lacks nothing. */
  readonly unknownId: number | undefined
  readonly #tokenizer: Tokenizer
  readonly #specials: Map<string, number>
  readonly #cuts: StableCuts
  readonly #openCuts: OpenCuts
  /** The file's ids of added tokens, by the library's. */
  readonly #addedIds: ReadonlyMap<number, number>

  private constructor(tokenizer: Tokenizer, json: TokenizerJson, specials: Map<string, number>) {
    this.#tokenizer = tokenizer
    this.#specials = specials
    const unknown = json.model.unk_token
    this.unknownId = unknown == null ? undefined : json.model.vocab[unknown]
    this.#cuts = new StableCuts(json)
    this.#openCuts = new OpenCuts(json)
    this.#addedIds = addedIds(json, (content) => tokenizer.tokenToId(content))
  }

  /**
   * @param tokenizerJson the text of a Hugging Face tokenizer.json
   * @param reserved ids that are special although the file does not say so: those a prompt ends with
   * @throws ServiceError MODEL_UNUSABLE: not JSON, neither BPE nor WordPiece, or not readable by the library
   */
  static load(tokenizerJson: string, reserved: readonly number[] = []): BodyTokenizer {
    const { json, specials } = withoutSpecials(parseTokenizerJson(tokenizerJson), reserved)
    let tokenizer: Tokenizer
    try {
      tokenizer = Tokenizer.fromString(JSON.stringify(withRoomForAdded(cutLongWords(json))))
    } catch (cause) {
      throw unusable('cannot be read by the tokenizer library; copy it again from the checkpoint', cause)
    }
    return new BodyTokenizer(tokenizer, json, specials)
  }

  /** Id of a special token such as `</s>`, by its content; undefined for anything else. */
  specialId(token: string): number | undefined {
    return this.#specials.get(token)
  }

  /** All tokens of each text, index i for text i. */
  async encode(texts: readonly string[]): Promise<Uint32Array[]> {
    const encodings = await this.#encodings(texts)
    return encodings.map((encoding) => this.#fileIds(Uint32Array.from(encoding.getIds())))
  }

  #fileIds(ids: Uint32Array): Uint32Array {
    return this.#addedIds.size === 0 ? ids : ids.map((id) => this.#addedIds.get(id) ?? id)
  }

  /**
   * The first `tokensMax` tokens of each text, index i for text i, as tokenising all of it and cutting would give
   * them. A long text is not read to its end where the tokenizer allows a cut: what is read doubles until it is enough.
   */
  async encodeStart(texts: readonly string[], tokensMax: number): Promise<Body[]> {
    const bodies = new Array<Body>(texts.length)
    let open = texts.map((_, index) => index)
    for (let charsMax = (tokensMax + 1) * CHARS_PER_TOKEN; open.length > 0; charsMax *= 2) {
      const ready = open.flatMap((index) => {
        const cut = this.#cut(texts[index]!, charsMax)
        return cut ? [{ index, cut }] : []
      })
      const encodings = await this.#encodings(ready.flatMap(({ cut }) => cut.prefixes))
      const done = new Set<number>()
      for (const { index, cut } of ready) {
        const settled = settledIds(encodings.splice(0, cut.prefixes.length), cut.lastWordOpen)
        const ids = this.#fileIds(settled)
        const truncated = ids.length > tokensMax
        // A prefix that gives just `tokensMax` tokens does not say whether the rest adds any.
        if (!truncated && charsMax < texts[index]!.length) continue
        bodies[index] = { ids: truncated ? ids.slice(0, tokensMax) : ids, truncated }
        done.add(index)
      }
      open = open.filter((index) => !done.has(index))
    }
    return bodies
  }

  /** The whole text if it fits; a stable cut unless it leaves most of `charsMax` out; else one in the open. */
  #cut(text: string, charsMax: number): OpenCut | undefined {
    const length = this.#cuts.prefixLength(text, charsMax)
    if (length !== undefined && (length === text.length || length * 2 >= charsMax)) {
      return { prefixes: [text.slice(0, length)], lastWordOpen: false }
    }
    return this.#openCuts.cut(text, charsMax)
  }

  async #encodings(texts: readonly string[]): Promise<Encoding[]> {
    const plain = { addSpecialTokens: false }
    if (texts.length > SINGLES_MAX) return this.#tokenizer.encodeBatch([...texts], plain)
    return Promise.all(texts.map((text) => this.#tokenizer.encode(text, null, plain)))
  }
}

/** The tokens that all encodings begin with; without those of the last word if it may go on. */
function settledIds(encodings: readonly Encoding[], lastWordOpen: boolean): Uint32Array {
  const [first, ...others] = encodings.map((encoding) => Uint32Array.from(encoding.getIds()))
  let length = first!.length
  if (lastWordOpen) {
    const words = encodings[0]!.getWordIds()
    const last = words.at(-1)
    while (length > 0 && words[length - 1] === last) length--
  }
  for (const ids of others) {
    const differs = ids.findIndex((id, i) => i >= length || id !== first![i])
    if (differs >= 0) length = Math.min(length, differs)
    else length = Math.min(length, ids.length)
  }
  return first!.subarray(0, length)
}
