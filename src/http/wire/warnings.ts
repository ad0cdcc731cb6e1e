import { type TProperties, Type } from 'typebox'
import { oneOf } from './schemas.ts'

const CODE = 'MOSTLY_UNKNOWN'
const MESSAGE =
  'More than half of the tokens that the model read of this text are unknown to its vocabulary, so its vector says little. Use a model that knows the script.'

const reason = {
  code: oneOf([CODE], {
    description:
      '`MOSTLY_UNKNOWN`: more than half of the tokens that the model read of the text, the prompt not counted, are the unknown token.',
  }),
  message: Type.String(),
}

/**
 * Schema of the warnings in an answer.
 *
 * @param place fields that say which text is meant
 * @param note ends the description
 */
export function warningsSchema<P extends TProperties>(place: P, note = '') {
  return Type.Optional(
    Type.Array(Type.Object({ ...place, ...reason }), {
      description: `Texts that were embedded although their vectors say little; absent when there are none.${note}`,
    }),
  )
}

/** The `warnings` of an answer, for the texts that are mostly unknown tokens; nothing where there are none. */
export function warningsOf<P extends object>(places: readonly P[]) {
  if (places.length === 0) return {}
  return { warnings: places.map((place) => ({ ...place, code: CODE, message: MESSAGE }) as const) }
}
