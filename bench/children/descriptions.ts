import '../lib/environment';
import { PackageDirectoryLoader } from 'n8n-core';
import type { INodeType, IVersionedNodeType } from 'n8n-workflow';
import { report } from '../lib/child';
import { n8nNodeClass } from '../lib/modules';

const [folder] = process.argv.slice(2);

/** Bytes of what n8n writes for the editor: nodes.json and credentials.json. */
report(async () => {
	const loader = new PackageDirectoryLoader(folder);
	await loader.loadAll();
	const { nodes, credentials } = loader.types;
	return { ours: bytes(nodes) + bytes(credentials), http: bytes(descriptionsOfHttp()) };
});

function descriptionsOfHttp(): unknown[] {
	const node = new (n8nNodeClass('HttpRequest'))() as IVersionedNodeType;
	const versions: INodeType[] = Object.values(node.nodeVersions);
	return versions.map(({ description }) => description);
}

function bytes(value: unknown): number {
	return Buffer.byteLength(JSON.stringify(value));
}
