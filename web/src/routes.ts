import { createRouter } from 'sv-router';
import { need } from './i18n/i18n.svelte';

export const { p, navigate, isActive, route } = createRouter({
  '/': () => import('./pages/buyer/Home.svelte'),
  '/events/:id': () => import('./pages/buyer/EventPage.svelte'),
  '/events/:id/queue': { '/': () => import('./pages/buyer/Queue.svelte'), hooks: { beforeLoad: () => need('queue') } },
  '/bookings': () => import('./pages/buyer/Bookings.svelte'),
  '/bookings/:id': () => import('./pages/buyer/BookingPage.svelte'),
  '/login': () => import('./pages/Login.svelte'),
  '/account': { '/': () => import('./pages/account/Account.svelte'), hooks: { beforeLoad: () => need('account') } },
  '/verify': { '/': () => import('./pages/account/Verify.svelte'), hooks: { beforeLoad: () => need('account') } },
  '/reset': { '/': () => import('./pages/account/Reset.svelte'), hooks: { beforeLoad: () => need('account') } },
  '/confirm-email': {
    '/': () => import('./pages/account/ConfirmEmail.svelte'),
    hooks: { beforeLoad: () => need('account') },
  },
  '/organizer': {
    '/': () => import('./pages/organizer/Events.svelte'),
    '/events/new': () => import('./pages/organizer/EventEditor.svelte'),
    '/events/:id': () => import('./pages/organizer/EventEditor.svelte'),
    '/events/:id/sales': () => import('./pages/organizer/Sales.svelte'),
    '/events/:id/queue': () => import('./pages/organizer/Queue.svelte'),
    '/events/:id/attendees': () => import('./pages/organizer/Attendees.svelte'),
    '/events/:id/check-in': () => import('./pages/organizer/CheckIn.svelte'),
    '/check-in': () => import('./pages/organizer/CheckIns.svelte'),
    '/venues': () => import('./pages/organizer/Venues.svelte'),
    '/venues/new': () => import('./pages/organizer/VenueEditor.svelte'),
    '/venues/:id': () => import('./pages/organizer/VenuePage.svelte'),
    layout: () => import('./pages/organizer/Layout.svelte'),
    hooks: { beforeLoad: () => need('organizer') },
  },
  '/admin': {
    '/users': () => import('./pages/admin/Users.svelte'),
    '/audit': () => import('./pages/admin/Audit.svelte'),
    layout: () => import('./pages/admin/Layout.svelte'),
    hooks: { beforeLoad: () => need('admin') },
  },
  '*': () => import('./pages/NotFound.svelte'),
});
