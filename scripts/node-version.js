// Loaded before everything else by the npm scripts. Plain JavaScript, because an older Node cannot read the rest.
const NEEDED = 24

if (Number.parseInt(process.versions.node, 10) < NEEDED) {
  console.error(
    `Vox needs Node ${NEEDED} or newer, and this is ${process.version}. ` +
      'Run "npm ci": it puts the right Node beside the project, and npm scripts use that one.',
  )
  process.exit(1)
}
