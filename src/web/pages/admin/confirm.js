// @ts-check
import { element } from '../dom.js'

/**
 * Asks before something that hurts.
 *
 * @param {string} question
 * @param {string} verb   what is done after a yes
 * @returns {Promise<boolean>}
 */
export function confirmed(question, verb) {
  const yes = buttonOf(verb, 'yes')
  const no = buttonOf('Cancel', '')
  const form = element('form', '', [
    element('p', '', [new Text(question)]),
    element('div', 'buttons', [no, yes]),
  ])
  form.method = 'dialog'
  const dialog = element('dialog', '', [form])
  document.body.append(dialog)
  dialog.showModal()
  return new Promise((resolve) => {
    dialog.addEventListener('close', () => {
      dialog.remove()
      resolve(dialog.returnValue === 'yes')
    })
  })
}

/** @param {string} label @param {string} value */
function buttonOf(label, value) {
  const button = element('button', value === 'yes' ? 'strong' : '', [new Text(label)])
  button.value = value
  return button
}
