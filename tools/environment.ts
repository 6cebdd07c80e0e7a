import 'reflect-metadata';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// n8n-core reads these on load: its own folder, and no isolated-vm, which needs a native build.
process.env.N8N_USER_FOLDER ??= mkdtempSync(join(tmpdir(), 'kling-effects-n8n-'));
process.env.N8N_EXPRESSION_ENGINE = 'legacy';
process.env.N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS = 'false';
// n8n logs every failed node, and here most nodes fail.
process.env.N8N_LOG_LEVEL ??= 'silent';
