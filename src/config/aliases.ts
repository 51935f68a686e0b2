import { type Document, isAlias, isCollection, isNode, isPair } from "yaml";

/**
 * What each alias of a document stands for: the last node before it with that anchor (YAML 1.2.2 §7.1). Aliases without one are not in the map. One walk
 * for all, and no recursion: a document may be as deep as the parser can read.
 */
export function aliasesOf(document: Document): Map<unknown, unknown> {
  const anchors = new Map<string, unknown>();
  const found = new Map<unknown, unknown>();
  const stack: unknown[] = [document.contents];
  while (stack.length > 0) {
    const node = stack.pop();
    if (isPair(node)) stack.push(node.value, node.key);
    else if (isAlias(node)) {
      if (anchors.has(node.source)) found.set(node, anchors.get(node.source));
    } else if (isNode(node)) {
      if ("anchor" in node && typeof node.anchor === "string") anchors.set(node.anchor, node);
      if (isCollection(node)) for (let at = node.items.length - 1; at >= 0; at--) stack.push(node.items[at]);
    }
  }
  return found;
}
