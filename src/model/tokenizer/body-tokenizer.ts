import { Tokenizer } from 'tokenizers'
import { addedIds, withRoomForAdded } from './added-ids.ts'
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
  readonly #tokenizer: Tokenizer
  readonly #specials: Map<string, number>
  readonly #cuts: StableCuts
  /** The file's ids of added tokens, by the library's. */
  readonly #addedIds: ReadonlyMap<number, number>

  private constructor(tokenizer: Tokenizer, json: TokenizerJson, specials: Map<string, number>) {
    this.#tokenizer = tokenizer
    this.#specials = specials
    this.#cuts = new StableCuts(json)
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
      tokenizer = Tokenizer.fromString(JSON.stringify(withRoomForAdded(json)))
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
    const plain = { addSpecialTokens: false }
    const encodings =
      texts.length <= SINGLES_MAX
        ? await Promise.all(texts.map((text) => this.#tokenizer.encode(text, null, plain)))
        : await this.#tokenizer.encodeBatch([...texts], plain)
    return encodings.map((encoding) => this.#fileIds(Uint32Array.from(encoding.getIds())))
  }

  #fileIds(ids: Uint32Array): Uint32Array {
    return this.#addedIds.size === 0 ? ids : ids.map((id) => this.#addedIds.get(id) ?? id)
  }

  /**
   * The first `tokensMax` tokens of each text, index i for text i, as tokenising all of it and cutting would give
   * them. A long text is not read to its end where the tokenizer allows a stable cut: the prefix that is read doubles
   * until it is enough.
   */
  async encodeStart(texts: readonly string[], tokensMax: number): Promise<Body[]> {
    const bodies = new Array<Body>(texts.length)
    let open = texts.map((_, index) => index)
    for (let charsMax = (tokensMax + 1) * CHARS_PER_TOKEN; open.length > 0; charsMax *= 2) {
      const ready = open.flatMap((index) => {
        const length = this.#cuts.prefixLength(texts[index]!, charsMax)
        return length === undefined ? [] : [{ index, length }]
      })
      const encoded = await this.encode(ready.map(({ index, length }) => texts[index]!.slice(0, length)))
      const done = new Set<number>()
      ready.forEach(({ index, length }, i) => {
        const ids = encoded[i]!
        const truncated = ids.length > tokensMax
        // A prefix that gives just `tokensMax` tokens does not say whether the rest adds any.
        if (!truncated && length < texts[index]!.length) return
        bodies[index] = { ids: truncated ? ids.slice(0, tokensMax) : ids, truncated }
        done.add(index)
      })
      open = open.filter((index) => !done.has(index))
    }
    return bodies
  }
}
