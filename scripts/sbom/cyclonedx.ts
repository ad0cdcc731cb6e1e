interface Component {
  'bom-ref': string
  name: string
  version: string
  purl: string
  properties?: { name: string; value: string }[]
  hashes?: { alg: string; content: string }[]
}

/** What is used here of a CycloneDX document. */
export interface Bom {
  bomFormat: string
  specVersion: string
  serialNumber?: string
  metadata: { timestamp?: string; component: Component }
  components: Component[]
  dependencies: { ref: string; dependsOn: string[] }[]
}

export interface Lock {
  packages: Record<string, { version: string; integrity?: string; dev?: boolean }>
}

const DEVELOPMENT = 'cdx:npm:package:development'

/**
 * A bill of everything, less what only development needs. `npm sbom --omit dev` would leave out what both need as well.
 * What differs from run to run goes too, and the name is that of the package, not of its folder.
 */
export function shippedPart(bom: Bom, name: string): Bom {
  const isShipped = ({ properties = [] }: Component) =>
    !properties.some((property) => property.name === DEVELOPMENT)
  const components = bom.components.filter(isShipped)
  const refs = new Set([bom.metadata.component, ...components].map((component) => component['bom-ref']))
  const { serialNumber: _run, ...rest } = bom
  const { timestamp: _now, ...metadata } = bom.metadata
  return {
    ...rest,
    metadata: { ...metadata, component: { ...metadata.component, name } },
    components,
    dependencies: bom.dependencies
      .filter(({ ref }) => refs.has(ref))
      .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((other) => refs.has(other)) })),
  }
}

/** What the bill says otherwise than the lock file, a line each. */
export function sbomFaults(bom: Bom, { packages }: Lock): string[] {
  const faults = bom.bomFormat === 'CycloneDX' ? [] : ['it is not a CycloneDX document']
  const listed = new Map(bom.components.map((component) => [component['bom-ref'], component]))
  if (listed.size < bom.components.length) faults.push('a component is there twice')
  const known = new Set([...listed.keys(), bom.metadata.component['bom-ref']])
  for (const { ref, dependsOn } of bom.dependencies) {
    for (const other of [ref, ...dependsOn])
      if (!known.has(other)) faults.push(`${ref} needs ${other}, which is not listed`)
  }
  const shipped = Object.entries(packages).filter(([path, { dev }]) => path !== '' && !dev)
  const expected = new Set<string>()
  for (const [path, { version, integrity }] of shipped) {
    const ref = `${path.split('node_modules/').at(-1)}@${version}`
    expected.add(ref)
    const component = listed.get(ref)
    const hash = component?.hashes?.find(({ alg }) => alg === 'SHA-512')?.content
    if (!component) faults.push(`${ref} is installed and not listed`)
    else if (!hash || integrity !== `sha512-${Buffer.from(hash, 'hex').toString('base64')}`) {
      faults.push(`${ref} has another checksum than in the lock file`)
    }
  }
  for (const ref of listed.keys()) if (!expected.has(ref)) faults.push(`${ref} is listed and not installed`)
  return faults
}
