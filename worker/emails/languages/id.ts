// Owns the Indonesian of the mails.
import type { MailWords } from './en.ts'

export const indonesian: MailWords = {
  locale: 'id-ID',
  footer: 'Dikirim oleh Onsale karena alamat email ini dipakai di sana. Balasan tidak dibaca.',
  orOpen: 'Atau buka',
  booking: 'Pesanan',
  seat: ({ section, row, number }) =>
    row === null && number === null
      ? `${section}, tempat bebas`
      : [section, row && `baris ${row}`, number && `kursi ${number}`].filter(Boolean).join(', '),

  verification: {
    subject: 'Konfirmasi alamat email Anda',
    opening: 'Konfirmasi alamat email ini untuk menyelesaikan pembuatan akun Onsale Anda.',
    action: 'Konfirmasi alamat saya',
    lifetime:
      'Tautan ini berlaku satu kali dan selama satu jam. Setelah itu Anda dapat meminta yang baru di halaman masuk.',
    next: 'Begitu alamat dikonfirmasi, Anda dapat masuk, bergabung ke ruang tunggu, dan memesan kursi.',
    notYou: 'Jika Anda tidak membuat akun, abaikan email ini: tanpa tautan itu tidak terjadi apa-apa.',
  },
  accountExists: {
    subject: 'Anda sudah punya akun Onsale',
    opening: 'Seseorang mencoba membuat akun Onsale dengan alamat email ini, yang sudah punya akun.',
    action: 'Masuk',
    you: 'Jika itu Anda, masuklah dengan kata sandi yang Anda pilih sebelumnya.',
    notYou: 'Jika bukan Anda, tidak ada yang perlu dilakukan: akun dan kata sandi Anda tidak berubah.',
  },
  passwordReset: {
    subject: 'Pilih kata sandi baru',
    opening: 'Seseorang meminta kata sandi baru untuk akun Onsale Anda.',
    action: 'Pilih kata sandi baru',
    lifetime:
      'Tautan ini berlaku satu kali dan selama satu jam. Kata sandi baru mengeluarkan Anda dari semua perangkat.',
    notYou: 'Jika bukan Anda, abaikan email ini: kata sandi Anda tetap seperti semula.',
  },
  confirmed: {
    subject: (event) => `Tiket Anda untuk ${event}`,
    opening: (event, seats) =>
      `Pesanan Anda untuk ${event} sudah dibayar, dan ${seats} kursi menjadi milik Anda.`,
    action: 'Buka pesanan saya',
    event: 'Acara',
    when: 'Waktu',
    where: 'Tempat',
    paid: 'Dibayar',
    tickets: () => 'Tiket Anda',
    code: 'kode tiket',
    atTheDoor:
      'Tunjukkan kode setiap tiket di pintu masuk. Setiap kode berlaku untuk satu orang, satu kali, jadi jangan dibagikan.',
  },
  expired: {
    subject: (event) => `Pesanan Anda untuk ${event} sudah berakhir`,
    opening: (event) => `Waktu pembayaran untuk pesanan ${event} sudah habis, jadi kursinya dijual kembali.`,
    action: 'Lihat kursi yang tersisa',
    seats: () => 'Kursi yang tadi Anda pegang',
    lateMoney: () =>
      'Jika pembayaran Anda tetap sampai, Anda mendapat kursi yang sama bila belum diambil orang lain, dan bila sudah, seluruh uang Anda kembali. Kami akan mengabari Anda dalam kedua hal.',
  },
  refunded: {
    subject: (event) => `Pengembalian dana Anda untuk ${event}`,
    opening: (money, event) => `Kami mengembalikan ${money} untuk ${event} kepada Anda.`,
    action: 'Buka pesanan saya',
    how: 'Dana kembali ke kartu atau rekening yang Anda pakai. Bank Anda menentukan kapan dana itu terlihat.',
    reason: 'Alasan',
    ended: () => 'Tiket ini tidak berlaku lagi',
  },
}
