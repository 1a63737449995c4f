// Proof of work: finds a number behind the challenge whose SHA-256 begins with so many zero bits.
// Written out here because the browser's own digest answers later, and there are a hundred thousand of them.

const K = Uint32Array.from({ length: 64 }, (_, index) => Math.floor((Math.cbrt(prime(index)) % 1) * 2 ** 32));
const BEGIN = Uint32Array.from({ length: 8 }, (_, index) => Math.floor((Math.sqrt(prime(index)) % 1) * 2 ** 32));
const CHUNK = 4000;

function prime(index) {
  for (let number = 2, found = -1; ; number++) {
    let whole = true;
    for (let part = 2; part * part <= number; part++) if (number % part === 0) { whole = false; break; }
    if (whole && ++found === index) return number;
  }
}

const turn = (value, by) => (value >>> by) | (value << (32 - by));

// The first word of the SHA-256 of a short ASCII text.
function firstWord(text) {
  const blocks = Math.ceil((text.length + 9) / 64);
  const data = new DataView(new ArrayBuffer(blocks * 64));
  for (let index = 0; index < text.length; index++) data.setUint8(index, text.charCodeAt(index));
  data.setUint8(text.length, 0x80);
  data.setUint32(blocks * 64 - 4, text.length * 8);
  const state = BEGIN.slice();
  const words = new Uint32Array(64);
  for (let block = 0; block < blocks; block++) {
    for (let index = 0; index < 16; index++) words[index] = data.getUint32(block * 64 + index * 4);
    for (let index = 16; index < 64; index++) {
      const one = words[index - 15], two = words[index - 2];
      words[index] = words[index - 16] + words[index - 7] + (turn(one, 7) ^ turn(one, 18) ^ (one >>> 3)) + (turn(two, 17) ^ turn(two, 19) ^ (two >>> 10));
    }
    let [a, b, c, d, e, f, g, h] = state;
    for (let index = 0; index < 64; index++) {
      const first = (h + (turn(e, 6) ^ turn(e, 11) ^ turn(e, 25)) + ((e & f) ^ (~e & g)) + K[index] + words[index]) | 0;
      const second = ((turn(a, 2) ^ turn(a, 13) ^ turn(a, 22)) + ((a & b) ^ (a & c) ^ (b & c))) | 0;
      [h, g, f, e, d, c, b, a] = [g, f, e, (d + first) | 0, c, b, a, (first + second) | 0];
    }
    [a, b, c, d, e, f, g, h].forEach((value, index) => { state[index] += value; });
  }
  return state[0];
}

const form = document.querySelector("form[data-work]");
if (form) {
  const said = form.querySelector("[role=status]");
  const button = form.querySelector("button");
  const zeros = 32 - Number(form.dataset.bits);
  let number = 0;
  said.textContent = said.dataset.working;
  button.disabled = true;
  const work = () => {
    for (const end = number + CHUNK; number < end; number++) {
      if (firstWord(`${form.dataset.work}:${number}`) >>> zeros === 0) {
        form.elements.number.value = number;
        said.textContent = said.dataset.ready;
        button.disabled = false;
        button.focus();
        return;
      }
    }
    setTimeout(work);
  };
  work();
}
