// @ts-check

/**
 * @template {keyof HTMLElementTagNameMap} Tag
 * @param {Tag} tag
 * @param {string} className
 * @param {Node[]} [children]
 * @returns {HTMLElementTagNameMap[Tag]}
 */
export function element(tag, className, children = []) {
  const made = document.createElement(tag)
  made.className = className
  made.append(...children)
  return made
}

/**
 * A picture button: what it does is its accessible name.
 *
 * @param {string} icon     names a rule of the style sheet
 * @param {string} label
 * @param {() => void} onPress
 */
export function toolButton(icon, label, onPress) {
  const button = element('button', 'tool')
  button.type = 'button'
  setTool(button, icon, label)
  button.addEventListener('click', onPress)
  return button
}

/**
 * @param {HTMLButtonElement} button
 * @param {string} icon
 * @param {string} label
 */
export function setTool(button, icon, label) {
  button.dataset['icon'] = icon
  button.title = label
  button.setAttribute('aria-label', label)
}

/**
 * Sets a text only if it differs: sixteen tiles look twice a second, and mostly nothing has changed.
 *
 * @param {HTMLElement} target
 * @param {string} text
 */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text
}

/**
 * @param {HTMLElement} target
 * @param {string} key
 * @param {string} value
 */
export function setData(target, key, value) {
  if (target.dataset[key] !== value) target.dataset[key] = value
}
