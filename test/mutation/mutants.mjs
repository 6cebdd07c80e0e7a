import ts from 'typescript';

const { SyntaxKind: Kind } = ts;

/** Operators and what takes their place. */
const OPERATORS = new Map([
	[Kind.EqualsEqualsEqualsToken, '!=='],
	[Kind.ExclamationEqualsEqualsToken, '==='],
	[Kind.LessThanToken, '<='],
	[Kind.LessThanEqualsToken, '<'],
	[Kind.GreaterThanToken, '>='],
	[Kind.GreaterThanEqualsToken, '>'],
	[Kind.AmpersandAmpersandToken, '||'],
	[Kind.BarBarToken, '&&'],
	[Kind.QuestionQuestionToken, '&&'],
	[Kind.PlusToken, '-'],
	[Kind.MinusToken, '+'],
	[Kind.AsteriskToken, '/'],
	[Kind.SlashToken, '*'],
	[Kind.PlusEqualsToken, '-='],
]);

const isText = (node) => ts.isStringLiteralLike(node) || ts.isTemplateExpression(node);

/** Statements that can go without a change of what the others mean. */
const DELETABLE = new Set([
	Kind.ExpressionStatement,
	Kind.ContinueStatement,
	Kind.BreakStatement,
	Kind.ThrowStatement,
]);

/** Where a text is only a name: in imports, types and keys. */
function isName(node) {
	const { parent } = node;
	if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent)) return true;
	if (ts.isLiteralTypeNode(parent)) return true;
	return ts.isPropertyAssignment(parent) && parent.name === node;
}

/** The changes that one node of the syntax tree allows, each with the node it replaces. */
function* changesOf(node, source) {
	const text = (of) => of.getText(source);
	if (ts.isBinaryExpression(node)) {
		const other = OPERATORS.get(node.operatorToken.kind);
		const joinsTexts = isText(node.left) || isText(node.right);
		if (other && !joinsTexts) yield ['operator', node.operatorToken, other];
	}
	if (ts.isPrefixUnaryExpression(node) && node.operator === Kind.ExclamationToken) {
		yield ['condition', node, text(node.operand)];
	}
	if (ts.isIfStatement(node) || ts.isWhileStatement(node)) {
		yield ['condition', node.expression, `!(${text(node.expression)})`];
	}
	if (ts.isConditionalExpression(node)) {
		yield ['condition', node.condition, `!(${text(node.condition)})`];
	}
	if (ts.isNumericLiteral(node)) yield ['constant', node, `(${text(node)} + 1)`];
	if (node.kind === Kind.TrueKeyword) yield ['constant', node, 'false'];
	if (node.kind === Kind.FalseKeyword) yield ['constant', node, 'true'];
	if (ts.isStringLiteralLike(node) && node.text !== '' && !isName(node)) {
		yield ['constant', node, `'mutated' as never`];
	}
	if (DELETABLE.has(node.kind) && ts.isBlock(node.parent)) yield ['deletion', node, ';'];
}

function isType(node) {
	return ts.isTypeNode(node) || ts.isInterfaceDeclaration(node) || ts.isTypeAliasDeclaration(node);
}

/**
 * All mutants of a source: where they are (`start`, `end`, `line`), what stands there (`before`) and
 * what takes its place (`after`).
 */
export function mutantsOf(file, content) {
	const source = ts.createSourceFile(file, content, ts.ScriptTarget.Latest, true);
	const mutants = [];
	const visit = (node) => {
		if (isType(node)) return;
		for (const [kind, target, after] of changesOf(node, source)) {
			const start = target.getStart(source);
			const line = source.getLineAndCharacterOfPosition(start).line + 1;
			const before = target.getText(source);
			mutants.push({ file, kind, line, start, end: target.getEnd(), before, after });
		}
		ts.forEachChild(node, visit);
	};
	visit(source);
	return mutants;
}

/** The source with the mutant in it. */
export function mutate(content, { start, end, after }) {
	return content.slice(0, start) + after + content.slice(end);
}
